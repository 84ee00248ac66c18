"""All families."""
from tests.accuracy.choosing import INDEXING, ORDER, POOLING
from tests.accuracy.convolutions import CONVOLUTIONS
from tests.accuracy.elementwise import MAPS, NORMS, REDUCTIONS
from tests.accuracy.products import PRODUCTS
from tests.accuracy.sequences import ATTENTION, RECURRENT

FAMILIES = [*PRODUCTS, *CONVOLUTIONS, *ATTENTION, *RECURRENT, *MAPS, *REDUCTIONS, *NORMS, *POOLING, *INDEXING, *ORDER]
