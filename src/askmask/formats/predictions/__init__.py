"""Results of other codes read as predictions, one file a layout; `registry` finds the right one."""
