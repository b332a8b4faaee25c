package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Finding is what a scan found in one platform of an image.
type Finding struct {
	// ID is the scanner's, such as CVE-2026-12345.
	ID string
	// Severity is CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL or UNTRIAGED.
	Severity string
	// Package is where, in Version; Fixed is the version without it, "" where
	// there is none.
	Package, Version, Fixed string
	// Image is the program, Platform the architecture.
	Image, Platform string
}

// mild are the severities that stop no release (PCI DSS 6.3.3). Every other one
// does: CRITICAL and HIGH, UNTRIAGED, of which nobody knows yet that it is mild,
// and any word that the scanner may learn.
var mild = []string{"MEDIUM", "LOW", "INFORMATIONAL"}

// String says it in a line, for the log of a release.
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s in %s: %s %s", f.Severity, f.ID, f.Image, f.Package, f.Version)
	if f.Fixed != "" {
		s += ", mended in " + f.Fixed
	}
	return s
}

// Gate returns the grave findings that the list lets pass. The error names
// every other one, and every entry of the list that lets nothing pass: what it
// was for is gone, and it would hide what comes next.
func (l AllowList) Gate(found []Finding) (allowed []Finding, err error) {
	used := make([]bool, len(l))
	var stopped []string
	for _, f := range found {
		if slices.Contains(mild, f.Severity) {
			continue
		}
		if i := slices.IndexFunc(l, func(a Allowance) bool { return a.covers(f) }); i >= 0 {
			used[i], allowed = true, append(allowed, f)
			continue
		}
		if line := f.String(); !slices.Contains(stopped, line) { // each platform has it
			stopped = append(stopped, line)
		}
	}
	var faults []error
	if len(stopped) > 0 {
		slices.Sort(stopped)
		faults = append(faults, fmt.Errorf("the scan found what stops a release; mend it, or decide in infra/scan-allow.yaml, with a date:\n  %s",
			strings.Join(stopped, "\n  ")))
	}
	for i, a := range l {
		if !used[i] {
			faults = append(faults, fmt.Errorf("scan-allow.yaml: entry %d lets %s of %s in %s pass, which nothing has any more: remove it", i+1, a.Finding, a.Package, a.Image))
		}
	}
	return allowed, errors.Join(faults...)
}
