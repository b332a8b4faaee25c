package importtest

import (
	"slices"
	"strings"
)

// module is the module's path, and that of the root package.
const module = "padron"

// places are the layers that packages stand in, lowest first. A package imports
// those of lower layers, and of its own subtree: "x/..." is x and all below it.
var places = []struct {
	layer    string
	packages []string
}{
	{"the vocabulary", []string{""}},
	{"parts", []string{
		"internal/buildinfo", "internal/provider", "internal/provider/providertest",
		"internal/seal/...", "internal/store/...", "internal/awstest",
	}},
	{"parts upon parts", []string{"internal/access", "internal/audit", "internal/config", "internal/observe"}},
	{"readers and writers", []string{"internal/reader/...", "internal/synchronizer"}},
	{"edges", []string{"internal/api", "internal/console", "internal/check"}},
	{"assembly", []string{"internal/app/...", "internal/cli"}},
	{"commands", []string{"cmd/..."}},
	{"from outside", []string{"e2e", "bench/...", "scripts/...", "internal/importtest"}},
}

// rule forbids imports. It looks at what a package imports, and at what that
// imports, as far as this module goes.
type rule struct {
	name string
	// who it is for, and whom it spares.
	who, but []string
	// what they may not import; "std:" is before the standard library's, and
	// "other" is every other module.
	what []string
	// save is what they may import all the same, by importer.
	save map[string][]string
	why  string
	// breach is an edge that the rule must catch, for the rule's own test.
	breach [2]string
}

// everybody is every package of the module.
var everybody = []string{"..."}

// testing packages are for tests: their names end in "test".
var testPackages = []string{
	"internal/provider/providertest", "internal/store/storetest/...", "internal/store/mysqltest", "internal/seal/wraptest", "internal/awstest", "internal/reader/readertest", "internal/app/apptest", "internal/importtest",
}

var rules = []rule{
	{
		name: "vocabulary-imports-the-standard-library", who: []string{""}, what: []string{"...", "other"},
		why:    "whoever reads the vocabulary needs nothing else, and everybody may import it without a cycle",
		breach: [2]string{"", "github.com/google/go-cmp/cmp"},
	},
	{
		name: "vocabulary-does-no-io", who: []string{""},
		what: []string{
			"std:os/...", "std:net", "std:net/http/...", "std:net/rpc/...", "std:net/smtp", "std:database/sql/...", "std:syscall/...", "std:io/fs",
			"std:io/ioutil", "std:path/filepath", "std:log", "std:plugin", "std:embed", "std:unsafe", "std:crypto/rand", "std:math/rand/...",
			"std:C",
		},
		why:    "validation, masking and redaction are tested on their own, and give the same answer every time",
		breach: [2]string{"", "net/http"},
	},
	{
		name: "store-never-sees-plaintext", who: []string{"internal/store/..."},
		what: []string{
			"internal/seal/...", "internal/access", "internal/audit", "internal/provider/...", "internal/reader/...", "internal/api",
			"internal/console", "internal/synchronizer", "internal/app/...",
		},
		why:    "what cannot open a seal cannot leak what is under it",
		breach: [2]string{"internal/store/mysql", "internal/seal"},
	},
	{
		name: "seal-knows-no-store", who: []string{"internal/seal/..."},
		what: []string{
			"internal/store/...", "internal/provider/...", "internal/access", "internal/audit", "internal/reader/...", "internal/api",
			"internal/console", "internal/synchronizer",
		},
		why:    "keys and rows meet only where a run or a reader brings them together",
		breach: [2]string{"internal/seal/filewrap", "internal/store"},
	},
	{
		name: "provider-keeps-nothing", who: []string{"internal/provider/..."},
		what: []string{
			"internal/store/...", "internal/seal/...", "internal/access", "internal/audit", "internal/reader/...", "internal/api",
			"internal/console", "internal/synchronizer",
		},
		why:    "what a stranger sends is turned into records and goes no further by itself",
		breach: [2]string{"internal/provider", "internal/store"},
	},
	{
		name: "provider-is-not-its-sample", who: []string{"internal/provider"}, what: []string{"internal/provider/providertest"},
		why:    "the client must not know what it is tested against",
		breach: [2]string{"internal/provider", "internal/provider/providertest"},
	},
	{
		name: "readers-do-not-write", who: []string{"internal/reader/...", "internal/api", "internal/console"},
		what:   []string{"internal/provider/...", "internal/synchronizer"},
		why:    "customers-mngr reads the register; only a run may reach the provider",
		breach: [2]string{"internal/console", "internal/synchronizer"},
	},
	{
		name: "synchronizer-does-not-read-back", who: []string{"internal/synchronizer"},
		what:   []string{"internal/reader/...", "internal/api", "internal/console", "internal/access", "internal/audit"},
		why:    "a stolen synchronizer discloses nobody",
		breach: [2]string{"internal/synchronizer", "internal/reader"},
	},
	{
		name: "policy-is-its-own", who: []string{"internal/access"}, what: []string{"internal/..."},
		why:    "who may see what is decided without looking at anybody's data",
		breach: [2]string{"internal/access", "internal/store"},
	},
	{
		name: "edges-do-not-open-seals", who: []string{"internal/api", "internal/console"},
		what:   []string{"internal/seal/filewrap", "internal/seal/kmswrap", "internal/store/sqlite", "internal/store/mysql"},
		why:    "an edge shows what the reader gives it; engines and keys are chosen in internal/app",
		breach: [2]string{"internal/api", "internal/store/sqlite"},
	},
	{
		name: "commands-are-imported-by-nobody", who: everybody, what: []string{"cmd/..."},
		why:    "a command is an end, and what others need of it belongs into internal",
		breach: [2]string{"internal/app", "cmd/padron"},
	},
	{
		name: "test-packages-are-for-tests", who: everybody, but: testPackages, what: testPackages,
		save:   map[string][]string{"cmd/padron": {"internal/provider/providertest"}}, // padron provider, padron up
		why:    "sample data and test doubles have no place in a service",
		breach: [2]string{"cmd/synchronizer", "internal/provider/providertest"},
	},
	{
		name: "testing-is-for-tests", who: everybody, but: testPackages, what: []string{"std:testing/...", "std:net/http/httptest"},
		why:    "a program that imports testing takes its flags, too",
		breach: [2]string{"internal/reader", "testing"},
	},
	{
		name: "providertest-runs-in-production", who: []string{"internal/provider/providertest"},
		what:   []string{"std:testing/...", "std:net/http/httptest"},
		why:    "padron provider and padron up serve it",
		breach: [2]string{"internal/provider/providertest", "net/http/httptest"},
	},
	{
		name: "engines-have-the-database", who: everybody, but: []string{"internal/store/..."},
		what:   []string{"std:database/sql/...", "modernc.org/sqlite/...", "github.com/go-sql-driver/mysql", "github.com/pressly/goose/v3/..."},
		why:    "SQL elsewhere would escape the conformance suite and the fencing token",
		breach: [2]string{"internal/audit", "database/sql"},
	},
	{
		name: "observe-has-the-exporters", who: everybody, but: []string{"internal/observe"},
		what:   []string{"go.opentelemetry.io/otel/sdk/...", "go.opentelemetry.io/otel/exporters/...", "go.opentelemetry.io/contrib/..."},
		why:    "others make spans of counts and words; what sees addresses and headers by itself is set up in one place",
		breach: [2]string{"internal/api", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"},
	},
	{
		name: "seal-has-the-keys", who: everybody, but: []string{"internal/seal/..."},
		what:   []string{"github.com/tink-crypto/...", "std:crypto/aes", "std:crypto/cipher"},
		why:    "encryption is reviewed in one place",
		breach: [2]string{"internal/reader", "crypto/aes"},
	},
}

// matches reports whether pattern names the import path.
func matches(pattern, path string) bool {
	std := strings.HasPrefix(pattern, "std:")
	pattern = strings.TrimPrefix(pattern, "std:")
	local := path == module || strings.HasPrefix(path, module+"/")
	switch {
	case std && local:
		return false
	case pattern == "other":
		return !local && isOther(path)
	case !std && !isOther(pattern):
		if !local {
			return false
		}
		path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	}
	if pattern == "..." {
		return true
	}
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == tree || strings.HasPrefix(path, tree+"/")
	}
	return path == pattern
}

// isOther reports whether a path is another module's: its host has a dot.
func isOther(path string) bool {
	host, _, _ := strings.Cut(path, "/")
	return strings.Contains(host, ".") && host != "..."
}

func anyMatches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// full is the import path of a package of the module.
func full(pkg string) string { return strings.TrimSuffix(module+"/"+pkg, "/") }
