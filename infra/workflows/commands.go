package workflows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// Command is one call of a program of padron's, wherever one is written down.
type Command struct {
	// Where is the file and what precedes it.
	Where string
	// Args are its arguments, as a shell splits them. A variable is "1".
	Args []string
}

// places are where commands are written down: the workflows, the Makefile, and
// the documents for people.
var places = []string{".github/workflows/*", "Makefile", "docs/*.md", "README*.md", "CONTRIBUTING.md"}

var (
	// variable is one of a shell or of make.
	variable = regexp.MustCompile(`"?\$+[({]?[A-Za-z_]+[)}]?"?`)
	// conditional is make's, whose text is there or not.
	conditional = regexp.MustCompile(`\$\(if (?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`)
)

// Commands returns every call of the program, such as padron-deliver, that the
// project at root writes down.
func Commands(ctx context.Context, root, program string) ([]Command, error) {
	call := regexp.MustCompile(`go run \./cmd/` + program + "((?: [^\n|;&>#`]*)?)")
	var found []Command
	for _, place := range places {
		files, err := filepath.Glob(filepath.Join(root, place))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // a file of the project
			if err != nil {
				return nil, err
			}
			joined := strings.ReplaceAll(string(text), "\\\n", " ")
			for _, m := range call.FindAllStringSubmatch(joined, -1) {
				args, err := split(ctx, m[1])
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", filepath.Base(file), m[0], err)
				}
				found = append(found, Command{Where: filepath.Base(file) + ": " + m[0], Args: args})
			}
		}
	}
	if len(found) == 0 {
		return nil, errors.New(program + " is called nowhere: does the search still find calls?")
	}
	return found, nil
}

// Parse parses every call of the program that the project at root writes down, as
// the program would, and runs none. grammar returns a new structure of kong's for
// each. The error names every call that the program would not take.
func Parse(ctx context.Context, root, program string, grammar func() any) error {
	calls, err := Commands(ctx, root, program)
	if err != nil {
		return err
	}
	var wrong []error
	for _, call := range calls {
		parser, err := kong.New(grammar(), kong.Exit(func(int) {}))
		if err != nil {
			return err
		}
		if _, err := parser.Parse(call.Args); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", call.Where, err))
		}
	}
	return errors.Join(wrong...)
}

// split has bash take the arguments apart.
func split(ctx context.Context, text string) ([]string, error) {
	text = variable.ReplaceAllString(conditional.ReplaceAllString(text, ""), "1")
	out, err := exec.CommandContext(ctx, "bash", "-c", `printf '%s\0' `+text).Output() //nolint:gosec // our own documents
	if err != nil {
		return nil, err
	}
	var args []string
	for arg := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if arg != "" {
			args = append(args, arg)
		}
	}
	return args, nil
}
