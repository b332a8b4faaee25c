package proof

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// remark is an error or a warning that the synthesis left on a construct.
type remark struct {
	// kind is error or warning; path is STACK/PATH.
	kind, path, text string
}

// ofNag reports whether cdk-nag made the remark: its reports have it, too.
func (r remark) ofNag() bool {
	return slices.ContainsFunc(append([]string{"CdkNag"}, Packs...), func(p string) bool { return strings.HasPrefix(r.text, p) })
}

// readRemarks reads what stands on the constructs of a stack, in the order of
// their paths.
func readRemarks(dir, stack string) ([]remark, error) {
	text, err := os.ReadFile(filepath.Join(dir, stack+".metadata.json")) //nolint:gosec // what the synthesis wrote
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing stands on any
	}
	if err != nil {
		return nil, err
	}
	var constructs map[string][]struct {
		Type string
		Data any
	}
	if err := json.Unmarshal(text, &constructs); err != nil {
		return nil, fmt.Errorf("%s.metadata.json: %w", stack, err)
	}
	var found []remark
	for path, list := range constructs {
		for _, m := range list {
			kind, is := strings.CutPrefix(m.Type, "aws:cdk:")
			if message, ok := m.Data.(string); ok && is && (kind == "error" || kind == "warning") {
				found = append(found, remark{kind, strings.TrimPrefix(path, "/"), message})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b remark) int { return cmp.Compare(a.path, b.path) })
	return found, nil
}
