package images_test

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"padron/infra/images"
)

// bill is what the tests read of a bill of materials.
type bill struct {
	SPDXVersion       string `json:"spdxVersion"`
	DocumentNamespace string `json:"documentNamespace"`
	CreationInfo      struct{ Creators []string }
	Packages          []struct {
		Name        string `json:"name"`
		VersionInfo string `json:"versionInfo"`
	}
}

// checkBills compares an image's bills of materials with what Go says of the
// very program, and with those of the second building.
func checkBills(t *testing.T, source images.Source, built images.Built, dir, twice string) {
	t.Helper()
	for _, arch := range images.Architectures {
		text, err := os.ReadFile(images.Bill(dir, built.Name, arch))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := os.ReadFile(images.Bill(twice, built.Name, arch)); err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s: two bills of materials of one image differ (%v)", arch, err)
		}
		var b bill
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatal(err)
		}
		if b.SPDXVersion != "SPDX-2.3" || !strings.HasSuffix(b.DocumentNamespace, strings.TrimPrefix(built.Platforms[arch], "sha256:")) {
			t.Errorf("%s: the bill is %s of %s", arch, b.SPDXVersion, b.DocumentNamespace)
		}
		versions := map[string]string{}
		for _, p := range b.Packages {
			versions[p.Name] = p.VersionInfo
		}
		for module, want := range modules(t, source, built.Name, arch) {
			if got := versions[module]; got != want {
				t.Errorf("%s: %s is %q in the bill of materials, and %s in the program", arch, module, got, want)
			}
		}
	}
}

// modules are those that the program itself names, with Go's own library.
func modules(t *testing.T, source images.Source, name, arch string) map[string]string {
	t.Helper()
	program, err := images.Compile(t.Context(), source, name, arch)
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{"stdlib": info.GoVersion, "padron": source.Version}
	for _, m := range info.Deps {
		found[m.Path] = m.Version
	}
	if len(found) < 10 {
		t.Errorf("%s names %d modules: is it the whole program?", name, len(found))
	}
	return found
}
