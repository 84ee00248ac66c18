"""MindSpore's ``mindspore.experimental``: optimisers whose options are set by parameter group, and their schedulers."""
