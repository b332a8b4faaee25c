package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInterruptionsAreDocumented: every test that docs/interruptions.md names is
// there, and each of its lines names one.
func TestInterruptionsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/interruptions.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{}
	for name, pattern := range map[string]string{
		"e2e": "*_test.go", "mysql": "../internal/store/mysql/*_test.go", "synchronizer": "../internal/synchronizer/*_test.go",
		"storetest": "../internal/store/storetest/*.go",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests[name] += string(source)
		}
	}
	test := regexp.MustCompile("`([a-z0-9]+)\\.([Tt]est\\w+)`")
	for line := range strings.Lines(string(text)) {
		named := test.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| what happens") && len(named) == 0 {
			t.Errorf("no test shows this: %s", line)
		}
		for _, n := range named {
			if !strings.Contains(tests[n[1]], "\nfunc "+n[2]+"(t *testing.T") {
				t.Errorf("there is no test %s in %s", n[2], n[1])
			}
		}
	}
}
