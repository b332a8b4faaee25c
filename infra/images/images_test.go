package images_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"padron/infra/images"
)

// TestImages builds every image and looks at it as a cluster would: pulled from
// a registry, unpacked, and run as its user with nothing around it.
func TestImages(t *testing.T) {
	source, err := images.FromCommit(t.Context(), filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	defer server.Close()
	dir, twice := t.TempDir(), t.TempDir()
	all, again := buildAll(t, source, dir), buildAll(t, source, twice)
	host := strings.TrimPrefix(server.URL, "http://")
	var pushed []published
	for i, built := range all {
		p := published{Built: built, repository: host + "/padron-test-" + built.Name}
		pushed = append(pushed, p)
		t.Run(built.Name, func(t *testing.T) {
			if again[i].Digest != built.Digest {
				t.Errorf("built twice: %s, then %s", built.Digest, again[i].Digest)
			}
			checkBills(t, source, built, dir, twice)
			if err := images.Push(t.Context(), built, p.repository, "test", authn.Anonymous, name.Insecure); err != nil {
				t.Fatal(err)
			}
			image := pull(t, p.repository+"@"+built.Digest)
			checkConfiguration(t, image, built.Name)
			checkRuns(t, image, built.Name, source.Version)
		})
	}
	checkSignatures(t, source.Root, dir, host, pushed)
}

func buildAll(t *testing.T, source images.Source, dir string) []images.Built {
	t.Helper()
	all, err := images.All(t.Context(), source, dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// pull returns this machine's platform of the pushed image.
func pull(t *testing.T, reference string) v1.Image {
	t.Helper()
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func checkConfiguration(t *testing.T, image v1.Image, command string) {
	t.Helper()
	c, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.Config.User != fmt.Sprintf("%d:%d", images.UserID, images.UserID) {
		t.Errorf("runs as %q", c.Config.User)
	}
	if len(c.Config.Entrypoint) != 1 || c.Config.Entrypoint[0] != "/"+command {
		t.Errorf("starts %q", c.Config.Entrypoint)
	}
	for _, label := range []string{"title", "version", "revision", "created", "licenses"} {
		if c.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("has no label %s", label)
		}
	}
}

// checkRuns starts the program inside its own root, as the image's user.
func checkRuns(t *testing.T, image v1.Image, command, version string) {
	t.Helper()
	root := t.TempDir()
	unpack(t, image, root)
	for dir := root; dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil && !errors.Is(err, os.ErrPermission) {
			t.Fatal(err)
		}
		if filepath.Dir(dir) == os.TempDir() {
			break
		}
	}
	out, err := confined(t, root, "/"+command, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version in the image: %v\n%s", command, err, out)
	}
	if !strings.Contains(string(out), version) {
		t.Errorf("says version %q, want %s", out, version)
	}
}

// confined is a command inside the root, as the image's user and with an empty
// environment. Who is not root, such as GitHub's runner, becomes that user in a
// user namespace.
func confined(t *testing.T, root, command string, args ...string) *exec.Cmd {
	t.Helper()
	run := exec.CommandContext(t.Context(), command, args...)
	run.Dir, run.Env = "/", []string{}
	run.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: images.UserID, Gid: images.UserID, NoSetGroups: true}}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		run.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		run.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: images.UserID, HostID: uid, Size: 1}}
		run.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: images.UserID, HostID: gid, Size: 1}}
	}
	return run
}

// unpack writes the image's files below root, and fails on one that its user
// may write.
func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Mode&0o022 != 0 {
			t.Errorf("%s: owner %d, mode %o: the program's user could write it", h.Name, h.Uid, h.Mode)
		}
		to := filepath.Join(root, filepath.Clean("/"+h.Name))
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(to, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, body, h.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
}
