package release

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"padron/infra/images"
)

// MaxAllowance is how long an entry of the allow list may hold from today: what
// is grave is mended, and may wait a while, and not for good (PCI DSS 6.3.3).
const MaxAllowance = 90 * 24 * time.Hour

// Allowance lets one finding of one package in one image pass for a while.
type Allowance struct {
	// Finding is the scanner's id, such as CVE-2026-12345.
	Finding string `yaml:"finding"`
	// Package is the module or package as the scanner names it, and Image the
	// program.
	Package string `yaml:"package"`
	Image   string `yaml:"image"`
	// Reason is why it does no harm meanwhile, at least 40 characters of plain
	// ASCII; Owner is the role that answers for it.
	Reason string `yaml:"reason"`
	Owner  string `yaml:"owner"`
	// Expires is the last day on which it holds, YYYY-MM-DD.
	Expires string `yaml:"expires"`
}

// AllowList is every allowance.
type AllowList []Allowance

// AllowFile is the allow list below root, the folder infra.
func AllowFile(root string) string { return filepath.Join(root, "scan-allow.yaml") }

// LoadAllowList reads the list below root. Every fault is told at once: of form,
// and what does not hold on the day.
func LoadAllowList(root string, today time.Time) (AllowList, error) {
	text, err := os.ReadFile(AllowFile(root))
	if err != nil {
		return nil, err
	}
	return ParseAllowList(text, today)
}

// ParseAllowList reads the list from YAML.
func ParseAllowList(text []byte, today time.Time) (AllowList, error) {
	var l AllowList
	if err := yaml.UnmarshalWithOptions(text, &l, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("scan-allow.yaml: %s", yaml.FormatError(err, false, true))
	}
	var faults []error
	for i, a := range l {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("scan-allow.yaml: entry %d %q: "+format, append([]any{i + 1, a.Finding}, args...)...))
		}
		a.validate(today, fault)
		if slices.ContainsFunc(l[:i], a.same) {
			fault("is there twice: one finding, one decision")
		}
	}
	return l, errors.Join(faults...)
}

var (
	findingForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(-[A-Za-z0-9]+)+$`)
	packageForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9./_~+-]*$`)
)

func (a Allowance) validate(today time.Time, fault func(string, ...any)) {
	if !findingForm.MatchString(a.Finding) {
		fault("finding must be one id as the scanner gives it, such as CVE-2026-12345, and no pattern")
	}
	if !packageForm.MatchString(a.Package) {
		fault("package %q must be one package, such as golang.org/x/net, and no pattern", a.Package)
	}
	if !slices.Contains(images.Names, a.Image) {
		fault("image %q is none of %s", a.Image, strings.Join(images.Names, ", "))
	}
	if len(a.Reason) < 40 || strings.ContainsFunc(a.Reason, func(r rune) bool { return r > '~' || r < ' ' }) {
		fault("reason must be 40 characters or more on one line, in plain ASCII, that an auditor accepts")
	}
	if strings.TrimSpace(a.Owner) == "" {
		fault("has no owner: name the role that answers for it")
	}
	last, err := time.Parse(time.DateOnly, a.Expires)
	switch {
	case err != nil:
		fault("expires %q is not a date as 2027-06-30", a.Expires)
	case !today.Before(last.AddDate(0, 0, 1)):
		fault("expired on %s: mend what it is about, or decide again", a.Expires)
	case last.After(today.Add(MaxAllowance)):
		fault("expires on %s, which is more than %d days away", a.Expires, int(MaxAllowance.Hours()/24))
	}
}

func (a Allowance) same(b Allowance) bool {
	return a.Finding == b.Finding && a.Package == b.Package && a.Image == b.Image
}

func (a Allowance) covers(f Finding) bool {
	return a.Finding == f.ID && a.Package == f.Package && a.Image == f.Image
}
