package main

import (
	"path/filepath"
	"testing"

	"padron/infra/workflows"
)

// TestCommandsThatAreWrittenDown parses every call of the program in the
// workflows, the Makefile and the documents, as the program would. None is run.
func TestCommandsThatAreWrittenDown(t *testing.T) {
	if err := workflows.Parse(t.Context(), filepath.Join("..", "..", ".."), "padron-infra", func() any { return &commands{} }); err != nil {
		t.Error(err)
	}
}
