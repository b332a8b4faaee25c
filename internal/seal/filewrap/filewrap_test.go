package filewrap_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
)

func mustOpen(t *testing.T, path string) *filewrap.Wrapper {
	t.Helper()
	w, err := filewrap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// newKeyFile returns the path and content of a fresh key file.
func newKeyFile(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys.json")
	mustOpen(t, path)
	return path, mustRead(t, path)
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// write replaces a file whatever the umask.
func write(t *testing.T, path string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

var keyValue = regexp.MustCompile(`"value":\s*"([^"]+)"`)

// refused checks that a path is no key file, that the error names it and says
// what is wrong, and that nothing of a key is told or made.
func refused(t *testing.T, path string, secret []byte, wants ...string) {
	t.Helper()
	w, err := filewrap.Open(path)
	if err == nil || w != nil {
		t.Fatalf("%s is accepted", path)
	}
	if padron.ErrorCode(err) != padron.CodeUnavailable {
		t.Errorf("the code is %q, want unavailable", padron.ErrorCode(err))
	}
	for _, want := range append(wants, path) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q does not say %q", err, want)
		}
	}
	for _, m := range keyValue.FindAllSubmatch(secret, -1) {
		if strings.Contains(err.Error(), string(m[1][:min(8, len(m[1]))])) {
			t.Error("the error tells a part of the key")
		}
	}
}

func TestFirstUseMakesTheFile(t *testing.T) {
	for name, path := range map[string]string{"directory there": "keys.json", "new directories": "var/lib/padron/keys.json"} {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(0)) // the mode must not depend on it
			root := t.TempDir()
			path := filepath.Join(root, path)
			w := mustOpen(t, path)
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
				t.Errorf("the mode is %v, want a regular file with 0600", info.Mode())
			}
			dir, err := os.Stat(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Dir(path) != root && dir.Mode().Perm() != 0o700 {
				t.Errorf("the mode of the new directory is %v, want 0700", dir.Mode())
			}
			if again := mustOpen(t, path); again.ID() != w.ID() {
				t.Errorf("opened again the key is %s, was %s", again.ID(), w.ID())
			}
			onlyFile(t, path)
		})
	}
}

// onlyFile checks that no temporary file stays beside a key file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 || names[0].Name() != filepath.Base(path) {
		t.Errorf("beside the key file stands %v", names)
	}
}

func TestModesThatOthersCanUse(t *testing.T) {
	path, content := newKeyFile(t)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o666, 0o777} {
		write(t, path, content, mode)
		refused(t, path, content, "chmod 0600", "rotate")
	}
	for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
		write(t, path, content, mode)
		mustOpen(t, path)
	}
}

// The owner can only be changed by the superuser; an ordinary user has a file
// of root's at hand instead.
func TestOtherOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		path := "/etc/shadow"
		if _, err := filewrap.Open(path); err == nil {
			t.Error("a file of another owner is accepted")
		}
		return
	}
	path, content := newKeyFile(t)
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	refused(t, path, content, "another user", "chown")
}

func TestWhatIsNoRegularFile(t *testing.T) {
	real, content := newKeyFile(t)
	for name, tc := range map[string]struct {
		make func(path string) error
		want []string
	}{
		"symbolic link":     {func(p string) error { return os.Symlink(real, p) }, []string{"symbolic link", "name the file itself"}},
		"link to nothing":   {func(p string) error { return os.Symlink(p+".new", p) }, []string{"symbolic link"}},
		"link to itself":    {func(p string) error { return os.Symlink(p, p) }, []string{"symbolic link"}},
		"directory":         {func(p string) error { return os.Mkdir(p, 0o700) }, []string{"not a regular file", "PADRON_KEYS"}},
		"pipe nobody opens": {func(p string) error { return syscall.Mkfifo(p, 0o600) }, []string{"not a regular file", "PADRON_KEYS"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := tc.make(path); err != nil {
				t.Fatal(err)
			}
			refused(t, path, content, tc.want...)
			onlyFile(t, path)
		})
	}
}

// macKeyset is a whole keyset whose key cannot encrypt.
func macKeyset(t *testing.T) []byte {
	t.Helper()
	handle, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A damaged file is refused with what to do, and never replaced: to lose it is
// to lose the register.
func TestDamagedFiles(t *testing.T) {
	_, good := newKeyFile(t)
	replaced := func(old, fresh string) []byte { return bytes.ReplaceAll(good, []byte(old), []byte(fresh)) }
	for name, data := range map[string][]byte{
		"empty":                   {},
		"spaces":                  []byte(" \n"),
		"garbage":                 []byte("\x00\xff\xfekeys"),
		"other JSON":              []byte(`{"customers": []}`),
		"no key":                  []byte(`{"primaryKeyId": 1, "key": []}`),
		"empty object":            []byte(`{}`),
		"null":                    []byte(`null`),
		"half":                    good[:len(good)/2],
		"all but the end":         bytes.TrimRight(good, "}\n "),
		"twice":                   bytes.Repeat(good, 2),
		"key disabled":            replaced("ENABLED", "DISABLED"),
		"key cut":                 keyValue.ReplaceAll(good, []byte(`"value": "GiA="`)),
		"key not base64":          keyValue.ReplaceAll(good, []byte(`"value": "%%%%"`)),
		"no value":                keyValue.ReplaceAll(good, []byte(`"value": ""`)),
		"unknown type":            replaced("AesGcmKey", "RotThirteenKey"),
		"key that cannot encrypt": macKeyset(t),
		"too large":               append(bytes.Clone(good), bytes.Repeat([]byte(" "), 64<<10)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			write(t, path, data, 0o600)
			refused(t, path, append(bytes.Clone(good), data...), "restore it from its backup")
			if !bytes.Equal(mustRead(t, path), data) {
				t.Error("the file was replaced")
			}
			onlyFile(t, path)
		})
	}
}

func TestEveryCutOfTheFile(t *testing.T) {
	path, good := newKeyFile(t)
	good = bytes.TrimSpace(good)
	for n := range len(good) {
		write(t, path, good[:n], 0o600)
		refused(t, path, good)
	}
}

func TestPathsThatCannotBe(t *testing.T) {
	file, content := newKeyFile(t)
	for name, path := range map[string]string{
		"below a file":      filepath.Join(file, "keys.json"),
		"far below a file":  filepath.Join(file, "var", "keys.json"),
		"name too long":     filepath.Join(filepath.Dir(file), strings.Repeat("k", 300)),
		"no such directory": "/proc/padron/keys.json",
	} {
		t.Run(name, func(t *testing.T) { refused(t, path, content, "key file", "PADRON_KEYS") })
	}
}

// TestMain is also the other process of TestMadeByProcessesAtOnce: it waits for
// its input to end, opens the key file and prints the key's name.
func TestMain(m *testing.M) {
	path := os.Getenv("PADRON_TEST_KEYS")
	if path == "" {
		os.Exit(m.Run())
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	w, err := filewrap.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(w.ID())
}

func TestMadeByProcessesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.json")
	var cmds []*exec.Cmd
	var inputs []io.Closer
	for range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "PADRON_TEST_KEYS="+path)
		cmd.Stdout, cmd.Stderr = &strings.Builder{}, os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, inputs = append(cmds, cmd), append(inputs, in)
	}
	for _, in := range inputs {
		in.Close()
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	want := mustOpen(t, path).ID()
	for _, cmd := range cmds {
		if got := fmt.Sprint(cmd.Stdout); got != want {
			t.Errorf("a process uses key %q, the file holds %q", got, want)
		}
	}
	onlyFile(t, path)
}

// Whoever comes at once ends with one key that all can use.
func TestMadeAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.json")
	wrappers := make([]*filewrap.Wrapper, 16)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range wrappers {
		wg.Go(func() {
			<-start
			w, err := filewrap.Open(path)
			if err != nil {
				t.Error(err)
			}
			wrappers[i] = w
		})
	}
	close(start)
	wg.Wait()
	if t.Failed() {
		return
	}
	c := seal.Context{Purpose: padron.PurposeIndex}
	plain, wrapped, err := wrappers[0].NewKey(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range append(wrappers, mustOpen(t, path)) {
		if got, err := w.Unwrap(t.Context(), c, wrapped); err != nil || !bytes.Equal(got, plain) || w.ID() != wrappers[0].ID() {
			t.Errorf("%s does not unwrap what %s wrapped: %v", w.ID(), wrappers[0].ID(), err)
		}
	}
	onlyFile(t, path)
}
