// Package scenarios holds the events that stentor rehearses by name; docs/simulator.md
// says what is in such a file. It is files and nothing else.
package scenarios

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names are the scenarios that there are, in order.
func Names() []string {
	list, _ := fs.Glob(files, "*.yaml")
	for i, name := range list {
		list[i] = strings.TrimSuffix(path.Base(name), ".yaml")
	}
	slices.Sort(list)
	return list
}

// Read returns a scenario's text; ok is false if there is none of that name.
func Read(name string) (text []byte, ok bool) {
	text, err := files.ReadFile(name + ".yaml")
	return text, err == nil
}
