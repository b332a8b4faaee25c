package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Book is the three files in which the benchmarks stand.
type Book struct {
	// Data is a JSON file, made where it is missing; Document has markers, see
	// [Book.Save]; Plot is an SVG file.
	Data, Document, Plot string
}

// Load reads the results; a file that is missing has none.
func (b *Book) Load() (*Results, error) {
	r := &Results{Parts: map[string]*Part{}}
	text, err := os.ReadFile(b.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Data, err)
	}
	return r, nil
}

// Save writes the results, the document's parts between their markers, and the
// plot. Each file is replaced as a whole.
func (b *Book) Save(r *Results) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	document, err := os.ReadFile(b.Document)
	if err != nil {
		return err
	}
	text, err := Fill(string(document), filepath.Base(b.Plot), r)
	if err != nil {
		return fmt.Errorf("%s: %w", b.Document, err)
	}
	return errors.Join(replace(b.Data, append(data, '\n')), replace(b.Document, []byte(text)), replace(b.Plot, Plot(r)))
}

// replace writes a file beside the old one, which it then takes the place of.
func replace(path string, text []byte) error {
	draft := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(draft, text, 0o644); err != nil { //nolint:gosec // a document for everybody
		return err
	}
	return os.Rename(draft, path)
}
