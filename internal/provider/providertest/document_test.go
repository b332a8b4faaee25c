package providertest

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the packages whose tests docs/bad-days.md names.
var documented = map[string]string{
	"padron": "", "provider": "internal/provider", "providertest": "internal/provider/providertest", "synchronizer": "internal/synchronizer",
}

// TestBadDaysAreDocumented: every test that the document names is there, and every
// fault and dirty way of the sample is in the document.
func TestBadDaysAreDocumented(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	document := read(t, filepath.Join(root, "docs", "bad-days.md"))
	tests := map[string]string{}
	for name, dir := range documented {
		files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tests[name] += read(t, file)
		}
	}
	named := regexp.MustCompile("`([a-z]+)\\.(Test\\w+)`").FindAllStringSubmatch(document, -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests[name[1]], "\nfunc "+name[2]+"(t *testing.T)") {
			t.Errorf("there is no test %s in %s", name[2], name[1])
		}
	}
	for _, kind := range slices.Concat(slices.Collect(maps.Keys(FaultKinds())), Ways(), []string{"gzip"}) {
		if !strings.Contains(document, "`"+kind+"`") {
			t.Errorf("%q is not in the document", kind)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
