// Package images builds padron's container images without a container engine,
// straight from Go: each holds one static program, the certificate authorities
// and two names for its user, and nothing to break into. The same commit makes
// the same bytes, on any machine.
package images

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Names are the commands that have an image. The image's repository is
// padron-ENVIRONMENT-NAME.
var Names = []string{"synchronizer", "customers-mngr", "padron"}

// Architectures are the platforms of every image, all of Linux.
var Architectures = []string{"amd64", "arm64"}

// UserID is the user and group that the programs run as: one that owns nothing.
const UserID = 65532

// authorities is where Go programs look for certificate authorities first.
const authorities = "etc/ssl/certs/ca-certificates.crt"

// Source is what the images are built of.
type Source struct {
	// Root is the folder of padron's module.
	Root string
	// Version is stamped into the programs and labels; Revision is the commit.
	Version, Revision string
	// Time is every file's and image's time, the commit's.
	Time time.Time
}

// FromCommit describes the checkout below root: version, commit and time.
func FromCommit(ctx context.Context, root string) (Source, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output() //nolint:gosec // our own arguments
		if err != nil {
			return "", fmt.Errorf("git %s in %s: %w; images are built from a checkout", args[0], root, err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	version, err := git("describe", "--tags", "--always", "--dirty")
	if err != nil {
		return Source{}, err
	}
	revision, err := git("rev-parse", "HEAD")
	if err != nil {
		return Source{}, err
	}
	stamp, err := git("show", "-s", "--format=%cI", "HEAD")
	if err != nil {
		return Source{}, err
	}
	at, err := time.Parse(time.RFC3339, stamp)
	return Source{Root: root, Version: version, Revision: revision, Time: at.UTC()}, err
}

// Build compiles the command and returns its image, an index of all
// architectures.
func Build(ctx context.Context, s Source, name string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range Architectures {
		image, err := build(ctx, s, name, arch)
		if err != nil {
			return nil, fmt.Errorf("image %s for %s: %w", name, arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return index, nil
}

func build(ctx context.Context, s Source, name, arch string) (v1.Image, error) {
	program, err := Compile(ctx, s, name, arch)
	if err != nil {
		return nil, err
	}
	files, err := layer(s, name, program)
	if err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), l)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, configuration(s, name, arch, image))
}

// Compile returns the command as a static program for Linux, which holds the time zones, too. -buildid=
// keeps two builds equal.
func Compile(ctx context.Context, s Source, name, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "padron-image-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	to := filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", //nolint:gosec // our own arguments
		"-ldflags", "-s -w -buildid= -X padron/internal/buildinfo.Version="+s.Version, "-o", to, "./cmd/"+name)
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(to) //nolint:gosec // just built
}

// layer is the image's file system: a tar in a fixed order, every time the
// commit's, everything root's and nothing writable.
func layer(s Source, name string, program []byte) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	files := []struct {
		name string
		mode int64
		body []byte
	}{
		{"etc/", 0o755, nil},
		{"etc/group", 0o444, fmt.Appendf(nil, "padron:x:%d:\n", UserID)},
		{"etc/passwd", 0o444, fmt.Appendf(nil, "padron:x:%d:%d:padron:/:/nologin\n", UserID, UserID)},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{authorities, 0o444, roots()},
		{name, 0o555, program},
	}
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body)), ModTime: s.Time, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buffer.Bytes(), err
}

// roots are the certificate authorities that Mozilla trusts for servers and
// without a condition, as PEM; go.mod pins their date.
func roots() []byte {
	var buffer bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&buffer, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return buffer.Bytes()
}

// configuration is how the image runs and what its labels say.
func configuration(s Source, name, arch string, image v1.Image) *v1.ConfigFile {
	c, err := image.ConfigFile()
	if err != nil {
		c = &v1.ConfigFile{}
	}
	c = c.DeepCopy()
	c.Architecture, c.OS, c.Created = arch, "linux", v1.Time{Time: s.Time}
	c.History = []v1.History{{Created: v1.Time{Time: s.Time}, CreatedBy: "padron-infra images"}}
	c.Config = v1.Config{
		User: fmt.Sprintf("%d:%d", UserID, UserID), Entrypoint: []string{"/" + name}, WorkingDir: "/",
		Env: []string{"SSL_CERT_FILE=/" + authorities},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "padron " + name,
			"org.opencontainers.image.version":  s.Version,
			"org.opencontainers.image.revision": s.Revision,
			"org.opencontainers.image.created":  s.Time.Format(time.RFC3339),
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return c
}
