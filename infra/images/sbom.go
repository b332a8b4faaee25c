package images

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Bill is where the bill of materials of one platform's image lies, in
// dir/NAME-ARCHITECTURE.spdx.json: SPDX 2.3 as JSON.
func Bill(dir, name, arch string) string {
	return filepath.Join(dir, name+"-"+arch+".spdx.json")
}

// describe writes the bills of materials of an image that lies in dir, by syft:
// what it finds in the image itself, not what the sources promise. Two of the
// same image are equal.
func describe(ctx context.Context, s Source, dir string, b Built) error {
	syft, err := tool(ctx, s.Root, "syft")
	if err != nil {
		return err
	}
	for _, arch := range Architectures {
		cmd := exec.CommandContext(ctx, syft, "scan", "oci-dir:"+filepath.Join(dir, b.Name), "--platform", "linux/"+arch, //nolint:gosec // the pinned syft
			"--config", filepath.Join(s.Root, "tools", "syft.yaml"), "--output", "spdx-json",
			"--source-name", "padron-"+b.Name, "--source-version", s.Version)
		cmd.Env = without("SYFT_")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		found, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("bill of materials of %s for %s: %w\n%s", b.Name, arch, err, stderr.Bytes())
		}
		bill, err := settle(s, b, arch, versionOf(syft, "github.com/anchore/syft"), found)
		if err != nil {
			return fmt.Errorf("bill of materials of %s for %s: %w", b.Name, arch, err)
		}
		if err := os.WriteFile(Bill(dir, b.Name, arch), bill, 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	return nil
}

// versionOf is the version of a module in a program that was built here.
func versionOf(path, module string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return info.Main.Version
}

// settle puts what the image is in the place of what differs from one making
// of the document to the next: its time is the commit's, its name the image's.
// And versions that Go does not tell: padron's own and syft's.
func settle(s Source, b Built, arch, syft string, found []byte) ([]byte, error) {
	var bill map[string]any
	if err := json.Unmarshal(found, &bill); err != nil {
		return nil, fmt.Errorf("syft's answer: %w", err)
	}
	made, ok := bill["creationInfo"].(map[string]any)
	packages, _ := bill["packages"].([]any)
	if !ok || len(packages) == 0 {
		return nil, errors.New("syft found no package in the image, and a Go program tells its modules: do the two versions know each other?")
	}
	made["creators"] = []string{"Organization: Anchore, Inc", "Tool: syft-" + syft}
	made["created"] = s.Time.Format(time.RFC3339)
	bill["documentNamespace"] = "https://spdx.org/spdxdocs/padron-" + b.Name + "-" + arch + "-" + strings.TrimPrefix(b.Platforms[arch], "sha256:")
	for _, p := range packages {
		if one, ok := p.(map[string]any); ok && one["name"] == "padron" {
			one["versionInfo"] = s.Version
		}
	}
	return json.MarshalIndent(bill, "", " ")
}
