// The first test lands with the module.
