// Package buildinfo says which build this is.
package buildinfo

// Version is the released version, or "dev"; `make build` stamps it.
var Version = "dev"
