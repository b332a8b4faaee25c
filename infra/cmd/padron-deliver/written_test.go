package main

import (
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"

	"padron/infra/workflows"
)

// TestCommandsThatAreWrittenDown parses every call of the program in the
// workflows, the Makefile and the documents, as the program would. None is run.
func TestCommandsThatAreWrittenDown(t *testing.T) {
	calls, err := workflows.Commands(t.Context(), filepath.Join("..", "..", ".."), "padron-deliver")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		parser, err := kong.New(&commands{}, kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(call.Args); err != nil {
			t.Errorf("%s: %v", call.Where, err)
		}
	}
}
