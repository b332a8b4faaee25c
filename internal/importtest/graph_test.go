package importtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// graph is what each package of the module imports, by import path, its test
// files aside.
type graph map[string][]string

// load reads the imports of every Go file of the module under root, whatever its
// build constraints say. Folders with a module of their own are not of it.
func load(root string) (graph, error) {
	g := graph{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && foreign(name, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := path.Join(module, filepath.ToSlash(dir))
		if strings.HasSuffix(name, "_test.go") {
			g[pkg] = append(g[pkg], nil...) // a package of tests has its place, too
			return nil
		}
		imports, err := importsOf(name)
		g[pkg] = append(g[pkg], imports...)
		return err
	})
	for pkg, imports := range g {
		g[pkg] = slices.Compact(slices.Sorted(slices.Values(imports)))
	}
	return g, err
}

// foreign reports whether the go command passes over a folder, too.
func foreign(dir, base string) bool {
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func importsOf(name string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, imported)
	}
	return out, nil
}

// check returns what is wrong with a graph, a line for each fault.
func check(g graph) []string {
	var faults []string
	for _, pkg := range slices.Sorted(maps.Keys(g)) {
		faults = append(faults, checkPlace(g, pkg)...)
		for _, r := range rules {
			if anyMatches(r.who, pkg) && !anyMatches(r.but, pkg) {
				faults = append(faults, r.check(g, pkg)...)
			}
		}
	}
	return faults
}

// place returns the number of a package's layer, and the pattern that puts it
// there; -1 is none.
func place(pkg string) (int, string) {
	for i, p := range places {
		for _, pattern := range p.packages {
			if matches(pattern, pkg) {
				return i, pattern
			}
		}
	}
	return -1, ""
}

// checkPlace holds a package to its layer.
func checkPlace(g graph, pkg string) (faults []string) {
	layer, pattern := place(pkg)
	if layer < 0 {
		return []string{fmt.Sprintf("%s has no place: put it into a layer in internal/importtest/rules_test.go, and into the rules that are about it", pkg)}
	}
	for _, imported := range g[pkg] {
		if !matches("...", imported) {
			continue
		}
		below, its := place(imported)
		if below >= 0 && below < layer || its == pattern && strings.HasSuffix(pattern, "/...") {
			continue
		}
		at := "nowhere"
		if below >= 0 {
			at = fmt.Sprintf("%q", places[below].layer)
		}
		faults = append(faults, fmt.Sprintf("%s imports %s: imports point down, and %q is not above %s", pkg, imported, places[layer].layer, at))
	}
	return faults
}

// check returns the forbidden imports of a package, and of what it imports.
func (r *rule) check(g graph, pkg string) (faults []string) {
	seen := map[string]bool{pkg: true}
	var visit func(importer, way string)
	visit = func(importer, way string) {
		for _, imported := range g[importer] {
			if seen[imported] || r.spares(pkg, imported) {
				continue
			}
			seen[imported] = true
			if anyMatches(r.what, imported) && (importer == pkg || isLocal(imported)) {
				faults = append(faults, fmt.Sprintf("%s imports %s%s: rule %s: %s", pkg, imported, way, r.name, r.why))
				continue
			}
			visit(imported, way+" through "+imported)
		}
	}
	visit(pkg, "")
	return faults
}

func (r *rule) spares(pkg, imported string) bool {
	for importer, saved := range r.save {
		if matches(importer, pkg) && anyMatches(saved, imported) {
			return true
		}
	}
	return false
}

func isLocal(imported string) bool { return matches("...", imported) }
