"""The text of a kernel → LLVM IR in one walk over its syntax tree.

Kernels use little of Python: assignments, ``for`` over a range, ``while``, ``if``, arithmetic, and calls of the kernel
language; the type of every value is known where it is made.  So one walk is enough, where Numba's front end goes from
bytecode over a flow graph and an iteration for the types, twenty times as long.  The types and the instructions of
each operation are Numba's here as well (see `operations`).

Variables never lie in memory: a name stands for the value that it has, and where ways of the control flow meet, those
that live on get a phi.  What is not understood raises NotUnderstood, and Numba's front end takes the text.
"""
from __future__ import annotations

import ast

from llvmlite import ir
from numba.core import errors, fastmathpass, types
from numba.core.compiler_lock import global_compiler_lock

from graphcore.compiler.codegen import language
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain import operations
from graphcore.compiler.toolchain.contexts import FAST_MATH
from graphcore.compiler.toolchain.liveness import Flows
from graphcore.compiler.toolchain.operations import I1, I64, NotUnderstood, Typed

POINTER = I64.as_pointer()
WORD = types.intp
ROW = types.CPointer(WORD)


def lower(source: KernelSource, name: str, attributes: str = "") -> str:
    """LLVM IR of the kernel as ``void name(ptr args, i64 begin, i64 end, i64 worker)``, before any optimisation.

    `attributes`: further ones of the function, as LLVM writes them.  Raises NotUnderstood, with the reason.
    """
    with global_compiler_lock:      # Numba's registries are not made for several threads
        try:
            return str(_module(source, name, attributes))
        except (SyntaxError, errors.NumbaError, NotImplementedError, AssertionError, TypeError, ValueError, KeyError,
                AttributeError) as error:
            raise NotUnderstood(f"{type(error).__name__}: {error}") from None


def _module(source: KernelSource, name: str, attributes: str) -> ir.Module:
    tree = ast.parse(source.source)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef) or tree.body[0].name != source.name:
        raise NotUnderstood("more or less than one function")
    module = ir.Module(source.name)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, I64, I64, I64]), name)
    # llvmlite knows few attributes by name, and prints what is in the set
    set.update(function.args[0].attributes, ("noalias", "readonly"))
    set.update(function.attributes, ("nounwind", attributes))
    _Walk(tree.body[0], function).run()
    fastmathpass.rewrite_module(module, FAST_MATH)
    return module


class _Walk:
    """The way through one kernel: `values` holds what each variable stands for at the place reached."""

    def __init__(self, tree: ast.FunctionDef, function: ir.Function):
        self.tree, self.flows = tree, Flows()
        self.language = language.namespace() | language.BUILTINS
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        parameters = [argument.arg for argument in tree.args.args]
        if len(parameters) != 4:
            raise NotUnderstood("a function of other than four arguments")
        for argument, word in zip(function.args, ("args", "begin", "end", "worker")):
            argument.name = word
        self.values = dict(zip(parameters, map(Typed, (ROW, WORD, WORD, WORD), function.args)))

    def run(self) -> None:
        self.block(self.tree.body, frozenset())
        self.builder.ret_void()

    # -- statements --------------------------------------------------------------------------------------------------

    def block(self, statements: list, after: frozenset) -> None:
        """Statements in order, where the variables `after` live behind the last of them."""
        lives = [after]
        for statement in reversed(statements[1:]):
            lives.append(self.flows.of(statement).before(lives[-1]))
        for statement in statements:
            visit = getattr(self, f"visit_{type(statement).__name__}", None)
            if visit is None:
                raise NotUnderstood(type(statement).__name__)
            visit(statement, lives.pop())

    def visit_Pass(self, statement, after):
        pass

    def visit_Expr(self, statement, after):
        self.value(statement.value)

    def visit_Assign(self, statement, after):
        if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.Name):
            raise NotUnderstood("an assignment to other than a name")
        self.assign(statement.targets[0].id, self.value(statement.value))

    def visit_AugAssign(self, statement, after):
        if not isinstance(statement.target, ast.Name):
            raise NotUnderstood("an assignment to other than a name")
        before = self.value(ast.Name(statement.target.id))
        self.assign(statement.target.id, self.operation(statement.op, before, self.value(statement.value)))

    def assign(self, name: str, value: Typed) -> None:
        if value.type == types.void:
            raise NotUnderstood("a value of a call that has none")
        self.values[name] = value

    def visit_If(self, statement, after):
        builder = self.builder
        test = self.test(statement.test)
        first, other, end = (builder.append_basic_block(label) for label in ("then", "else", "endif"))
        builder.cbranch(test, first, other)
        before, ways = self.values, []
        for block, statements in ((first, statement.body), (other, statement.orelse)):
            builder.position_at_end(block)
            self.values = dict(before)
            self.block(statements, after)
            ways.append((builder.block, self.values))
            builder.branch(end)
        builder.position_at_end(end)
        changed = self.flows.of(statement).writes
        self.values = {name: value for name, value in before.items() if name not in changed}
        for name in sorted(changed & after):
            incoming = [values.get(name) for _, values in ways]
            if None in incoming:
                raise NotUnderstood(f"{name} has a value only sometimes")
            self.values[name] = self.joined(incoming, [block for block, _ in ways])

    def visit_While(self, statement, after):
        builder = self.builder
        header, body, end = self.loop_blocks(statement)
        carried = self.enter(statement, header, after)
        at_test = dict(self.values)
        builder.cbranch(self.test(statement.test), body, end)
        self.turn(statement, body, after)
        self.repeat(header, carried)
        builder.position_at_end(end)
        self.values = at_test

    def visit_For(self, statement, after):
        if not isinstance(statement.target, ast.Name):
            raise NotUnderstood("a loop over other than a name")
        builder = self.builder
        start, stop, step = self.range(statement.iter)
        relation = "<"
        if step.number is None:
            stop, relation = operations.end_of_range(builder, start.ir, stop.ir, step.ir), "!="
        elif step.number < 0:
            relation = ">"
        before = builder.block
        header, body, end = self.loop_blocks(statement)
        carried = self.enter(statement, header, after)
        at_test = dict(self.values)
        counter = builder.phi(I64)
        counter.add_incoming(start.ir, before)
        builder.cbranch(builder.icmp_signed(relation, counter, stop.ir), body, end)
        self.values[statement.target.id] = Typed(WORD, counter)
        self.turn(statement, body, after)
        counter.add_incoming(builder.add(counter, step.ir, flags=("nsw",)), builder.block)
        self.repeat(header, carried)
        builder.position_at_end(end)
        self.values = at_test

    def range(self, node: ast.expr) -> list:
        """Start, stop and step of ``range(...)``, all of int64."""
        if not isinstance(node, ast.Call) or self.function(node) is not range or not 1 <= len(node.args) <= 3:
            raise NotUnderstood("a loop over other than a range")
        parts = [self.value(argument) for argument in node.args]
        if any(types.unliteral(part.type) != WORD for part in parts):
            raise NotUnderstood("a range of other than int64")
        start = operations.integer(0) if len(parts) == 1 else parts.pop(0)
        step = parts.pop() if len(parts) == 2 else operations.integer(1)
        if step.number == 0:
            raise NotUnderstood("a range that stands still")
        return [start, parts[0], step]

    def loop_blocks(self, statement) -> list:
        """The blocks of a loop: its test, its body, what follows."""
        if statement.orelse:
            raise NotUnderstood("else of a loop")
        return [self.builder.append_basic_block(label) for label in ("test", "body", "end")]

    def enter(self, statement, header, after) -> list:
        """Go to a loop's test; the names that turns pass on get a phi there, in (name, type, phi)."""
        builder, before = self.builder, self.builder.block
        builder.branch(header)
        builder.position_at_end(header)
        turn = self.flows.turn(statement)
        carried = []
        for name in sorted(turn.writes & (turn.reads | after)):
            first = self.values.get(name)
            if first is None:
                raise NotUnderstood(f"{name} has no value before the loop")
            phi = builder.phi(first.ir.type)
            phi.add_incoming(first.ir, before)
            carried.append((name, types.unliteral(first.type), phi))
        self.values = {name: value for name, value in self.values.items() if name not in turn.writes}
        self.values |= {name: Typed(type_, phi) for name, type_, phi in carried}
        return carried

    def turn(self, statement, body, after) -> None:
        """One turn of a loop."""
        self.builder.position_at_end(body)
        self.block(statement.body, after | self.flows.turn(statement).reads)

    def repeat(self, header, carried: list) -> None:
        """Go back to a loop's test."""
        for name, type_, phi in carried:
            last = self.values[name]
            if types.unliteral(last.type) != type_:
                raise NotUnderstood(f"{name} is {type_} and then {last.type}")
            phi.add_incoming(last.ir, self.builder.block)
        self.builder.branch(header)

    def joined(self, values: list, blocks: list) -> Typed:
        """The value of a variable where several ways meet."""
        kinds = {types.unliteral(value.type) for value in values}
        if len(kinds) != 1:
            raise NotUnderstood(f"one variable of the types {kinds}")
        if all(value is values[0] for value in values):
            return values[0]
        phi = self.builder.phi(values[0].ir.type)
        for value, block in zip(values, blocks):
            phi.add_incoming(value.ir, block)
        return Typed(kinds.pop(), phi)

    # -- expressions -------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Typed:
        visit = getattr(self, f"value_of_{type(node).__name__}", None)
        if visit is None:
            raise NotUnderstood(type(node).__name__)
        return visit(node)

    def value_of_Name(self, node):
        if node.id not in self.values:
            raise NotUnderstood(f"{node.id} has no value")
        return self.values[node.id]

    def value_of_Constant(self, node):
        if isinstance(node.value, bool):
            return Typed(types.boolean, ir.Constant(I1, int(node.value)))
        if isinstance(node.value, int):
            return operations.integer(node.value)
        if isinstance(node.value, float):
            return Typed(types.float64, ir.Constant(ir.DoubleType(), node.value))
        raise NotUnderstood(f"the constant {node.value!r}")

    def value_of_Subscript(self, node):
        row = self.value(node.value)
        if row.type != ROW:
            raise NotUnderstood("an index of other than the row")
        index = operations.convert(self.builder, self.value(node.slice), WORD)
        return Typed(WORD, self.builder.load(self.builder.gep(row.ir, [index], inbounds=True)))

    def value_of_Call(self, node):
        function = self.function(node)
        return operations.call(self.builder, function, [self.value(argument) for argument in node.args])

    def function(self, node: ast.Call):
        """What a call calls."""
        named = isinstance(node.func, ast.Name) and node.func.id not in self.values
        if not named or node.func.id not in self.language or node.keywords:
            raise NotUnderstood(f"a call of {ast.unparse(node.func)}")
        return self.language[node.func.id]

    def value_of_BinOp(self, node):
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            folded = operations.calculated(type(node.op), left, right)
            if folded is not None:
                return folded
        return self.operation(node.op, left, right)

    def operation(self, operator: ast.operator, left: Typed, right: Typed) -> Typed:
        return operations.binary(self.builder, type(operator), left, right)

    def value_of_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            return Typed(types.boolean, self.builder.not_(self.test(node.operand)))
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return self.value_of_Constant(ast.Constant(-node.operand.value))
        return operations.unary(self.builder, type(node.op), self.value(node.operand))

    def value_of_Compare(self, node):
        left = self.value(node.left)
        if len(node.ops) == 1:
            return self.operation(node.ops[0], left, self.value(node.comparators[0]))

        def compare(link) -> ir.Value:      # 0 <= x < n: x is evaluated once
            nonlocal left
            before, left = left, self.value(link[1])
            return operations.truth(self.builder, self.operation(link[0], before, left))
        return Typed(types.boolean, self.decision(list(zip(node.ops, node.comparators)), compare, is_and=True))

    def value_of_BoolOp(self, node):
        return Typed(types.boolean, self.decision(node.values, self.boolean, isinstance(node.op, ast.And)))

    def test(self, node: ast.expr) -> ir.Value:
        """The truth of an expression, as an i1."""
        if isinstance(node, ast.BoolOp):
            return self.decision(node.values, self.test, isinstance(node.op, ast.And))
        return operations.truth(self.builder, self.value(node))

    def boolean(self, node: ast.expr) -> ir.Value:
        """The value of an expression that is a boolean."""
        value = self.value(node)
        if value.type != types.boolean:
            raise NotUnderstood("and, or of other than booleans")
        return value.ir

    def decision(self, operands: list, evaluate, is_and: bool) -> ir.Value:
        """``and`` or ``or``: later operands are evaluated where they still count."""
        builder = self.builder
        end = builder.append_basic_block("decided")
        ways = []
        for operand in operands[:-1]:
            known = evaluate(operand)
            ways.append((ir.Constant(I1, int(not is_and)), builder.block))
            other = builder.append_basic_block("else")
            builder.cbranch(known, *((other, end) if is_and else (end, other)))
            builder.position_at_end(other)
        ways.append((evaluate(operands[-1]), builder.block))
        builder.branch(end)
        builder.position_at_end(end)
        result = builder.phi(I1)
        for value, block in ways:
            result.add_incoming(value, block)
        return result
