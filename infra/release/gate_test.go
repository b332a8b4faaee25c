package release_test

import (
	"strings"
	"testing"
	"time"

	"padron/infra/cdkout"
	"padron/infra/release"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// entry is one of the allow list, with a line in another's place.
func entry(line string) string {
	lines := []string{
		"finding: CVE-2026-1111", "package: golang.org/x/net", "image: padron",
		"reason: The server that it is about is never started by this program.", "owner: platform", "expires: 2026-12-31",
	}
	for i, l := range lines {
		if key, _, _ := strings.Cut(line, ":"); strings.HasPrefix(l, key+":") {
			lines[i] = line
		}
	}
	return "- " + strings.Join(lines, "\n  ") + "\n"
}

func TestAllowList(t *testing.T) {
	for want, text := range map[string]string{
		"expired on 2026-11-23":       entry("expires: 2026-11-23"),
		"more than 90 days away":      entry("expires: 2027-11-24"),
		"is not a date":               entry("expires: soon"),
		"no pattern":                  entry("finding: CVE-2026-*"),
		`package "*" must be one`:     entry(`package: "*"`),
		`image "*" is none of`:        entry(`image: "*"`),
		`image "postgres" is none of`: entry("image: postgres"),
		"an auditor accepts":          entry("reason: later"),
		"has no owner":                entry(`owner: ""`),
		"is there twice":              entry("") + entry("reason: The same finding, decided upon by somebody who did not look."),
		`unknown field "severity"`:    entry("expires: 2026-12-31\n  severity: LOW"),
	} {
		if _, err := release.ParseAllowList([]byte(text), today); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v; want one that says %q", text, err, want)
		}
	}
	for _, last := range []string{"expires: 2026-11-24", "expires: 2027-02-21"} {
		if _, err := release.ParseAllowList([]byte(entry(last)), today); err != nil {
			t.Error(err)
		}
	}
}

// TestAllowListOfToday: what is in the repository holds, today.
func TestAllowListOfToday(t *testing.T) {
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := release.LoadAllowList(root, time.Now()); err != nil {
		t.Error(err)
	}
}

func TestGate(t *testing.T) {
	finding := func(id, severity, image, arch string) release.Finding {
		return release.Finding{ID: id, Severity: severity, Package: "golang.org/x/net", Version: "v0.1.0", Image: image, Platform: arch}
	}
	allow, err := release.ParseAllowList([]byte(entry("")), today)
	if err != nil {
		t.Fatal(err)
	}
	covered := []release.Finding{finding("CVE-2026-1111", "CRITICAL", "padron", "amd64"), finding("CVE-2026-1111", "CRITICAL", "padron", "arm64")}
	if allowed, err := allow.Gate(append(covered, finding("CVE-2026-2222", "MEDIUM", "padron", "arm64"))); err != nil || len(allowed) != 2 {
		t.Errorf("an allowed finding: %v, %v", allowed, err)
	}
	for want, found := range map[string][]release.Finding{
		"HIGH CVE-2026-2222 in padron":           append(covered, finding("CVE-2026-2222", "HIGH", "padron", "arm64")),
		"CRITICAL CVE-2026-1111 in synchronizer": append(covered, finding("CVE-2026-1111", "CRITICAL", "synchronizer", "arm64")),
		"UNTRIAGED CVE-2026-2222 in padron":      append(covered, finding("CVE-2026-2222", "UNTRIAGED", "padron", "arm64")),
		"SEVERE CVE-2026-2222 in padron":         append(covered, finding("CVE-2026-2222", "SEVERE", "padron", "arm64")),
		"which nothing has any more":             nil,
	} {
		if _, err := allow.Gate(found); err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%v; want one that says %q once", err, want)
		}
	}
}
