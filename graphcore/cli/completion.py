"""``graphcore completion bash|zsh|fish``: what a shell needs to complete commands and options."""
from __future__ import annotations

import argparse

HELP = "print a script that lets your shell complete commands and options"
EXAMPLES = """\
examples:
  graphcore completion bash > ~/.local/share/bash-completion/completions/graphcore
  graphcore completion zsh > ~/.zfunc/_graphcore
  graphcore completion fish > ~/.config/fish/completions/graphcore.fish"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    from graphcore.cli.main import make_parser
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell](_commands(make_parser())), end="")
    return 0


def _commands(parser: argparse.ArgumentParser) -> dict:
    """Command → (help, {option or word: (help, choices or None)})."""
    found = {}
    subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {a.dest: a.help for a in subparsers._choices_actions}
    for name, command in subparsers.choices.items():
        words = {}
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                words |= {a.dest: (a.help or "", None) for a in action._choices_actions}
                for inner in action.choices.values():
                    words |= {o: (a.help or "", None) for a in inner._actions for o in a.option_strings}
            elif action.option_strings:
                choices = tuple(map(str, action.choices)) if action.choices else None
                words |= {o: (action.help or "", choices) for o in action.option_strings if o.startswith("--")}
            elif action.choices:
                words |= {str(c): ("", None) for c in action.choices}
        found[name] = helps.get(name) or "", words
    return found


def _bash(commands: dict) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(words)}" ;;' for name, (_, words) in commands.items())
    values = "\n".join(f'    {option}) COMPREPLY=($(compgen -W "{" ".join(choices)}" -- "$current")); return ;;'
                       for option, choices in _choices(commands).items())
    return f"""# bash completion of graphcore
_graphcore() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(commands)}" -- "$current")); return
  fi
  case "$previous" in
{values}
  esac
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _graphcore graphcore
"""


def _choices(commands: dict) -> dict:
    """Option → what may stand behind it, where that is known."""
    return {option: choices for _, words in commands.values() for option, (_, choices) in words.items() if choices}


def _zsh(commands: dict) -> str:
    listed = "\n".join(f"    {_quoted(f'{name}:{text}')}" for name, (text, _) in commands.items())
    cases = []
    for name, (_, words) in commands.items():
        specs = " ".join(_quoted(f"{word}[{_plain(text)}]" + (f":value:({' '.join(choices)})" if choices else ""))
                         for word, (text, choices) in words.items() if word.startswith("-"))
        plain = " ".join(word for word in words if not word.startswith("-"))
        rest = _quoted(f"*:word:({plain})" if plain else "*:file:_files")
        cases.append(f"    {name}) _arguments {specs} {rest} ;;")
    return "#compdef graphcore\n_graphcore() {\n  local -a commands=(\n" + listed + """
  )
  if (( CURRENT == 2 )); then
    _describe command commands; return
  fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
""" + "\n".join(cases) + "\n  esac\n}\n_graphcore \"$@\"\n"


def _fish(commands: dict) -> str:
    lines = ["# fish completion of graphcore", "complete -c graphcore -f -n __fish_use_subcommand"]
    for name, (text, words) in commands.items():
        lines.append(f"complete -c graphcore -n __fish_use_subcommand -a {name} -d {_quoted(_plain(text))}")
        where = f'-n "__fish_seen_subcommand_from {name}"'
        for word, (help_text, choices) in words.items():
            if word.startswith("--"):
                what = f"-l {word[2:]}" + (f" -x -a {_quoted(' '.join(choices))}" if choices else "")
            elif word.startswith("-"):
                what = f"-s {word[1:]}"
            else:
                what = f"-a {word}"
            lines.append(f"complete -c graphcore {where} {what} -d {_quoted(_plain(help_text))}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A help text without what the shells would read."""
    return "".join(c for c in text.replace("%%", "%") if c not in "[]`$\"\\:").replace("'", "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
