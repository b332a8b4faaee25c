package release

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"padron/infra/config"
	"padron/infra/images"
)

// Pin writes the images' digests and their version into the environment's
// description below root, and nothing else: the next plan of it brings them.
// It returns the file.
func Pin(root, environment, version string, all []images.Built) (string, error) {
	dir := filepath.Join(root, "config")
	path := filepath.Join(dir, environment+".yaml")
	text, err := os.ReadFile(path) //nolint:gosec // the environment that the caller names
	if err != nil {
		return "", err
	}
	lines := map[string]string{"version": fmt.Sprintf("%q", version)}
	for _, b := range all {
		lines[strings.ReplaceAll(b.Name, "-", "_")] = b.Digest
	}
	pinned, err := pin(string(text), lines)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(pinned), 0o644); err != nil { //nolint:gosec // a description without a secret
		return "", err
	}
	_, err = config.Load(dir, environment)
	return path, err
}

var imagesForm = regexp.MustCompile(`(?m)^images:[ \t]*\n(?:[ \t]+.*\n?|#.*\n?)*`)

// pin changes lines of the section images, which has one for each.
func pin(text string, lines map[string]string) (string, error) {
	at := imagesForm.FindStringIndex(text)
	if at == nil {
		return "", errors.New("there is no section images")
	}
	section := text[at[0]:at[1]]
	for key, value := range lines {
		line := regexp.MustCompile(`(?m)^([ \t]+` + key + `:[ \t]*)[^\s#]*`)
		if len(line.FindAllString(section, 2)) != 1 {
			return "", fmt.Errorf("the section images has not one line %s", key)
		}
		section = line.ReplaceAllString(section, "${1}"+value)
	}
	return text[:at[0]] + section + text[at[1]:], nil
}
