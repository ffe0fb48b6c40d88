package protocol

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const wireDoc = "../docs/wire.md"

func readWireDoc(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(wireDoc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The document shows every message once, and what it shows is what we write.
func TestExamplesOfTheDocument(t *testing.T) {
	_, appendix, ok := strings.Cut(readWireDoc(t), "## Appendix")
	if !ok {
		t.Fatal("no appendix")
	}
	shown := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| ([A-Z_]+) \\| `([0-9a-f ]+)` \\|")
	for _, match := range row.FindAllStringSubmatch(appendix, -1) {
		name, wire := match[1], unhex(t, match[2])
		shown[name] = true
		if again := rewrite(t, name, wire); !bytes.Equal(again, wire) {
			t.Errorf("%s %x is written as %x", name, wire, again)
		}
	}
	for name := range codecs {
		if !shown[name] && name != "SUBSCRIBE_RESPONSE" {
			t.Errorf("no example of %s", name)
		}
	}
	if !shown["FRAME"] || !shown["DATAGRAM"] {
		t.Error("no example of a frame or a datagram")
	}
}

// rewrite decodes the whole of wire and returns how we write it.
func rewrite(t *testing.T, name string, wire []byte) []byte {
	t.Helper()
	switch name {
	case "FRAME":
		frames, err := readFrames(wire, Lite05)
		if err != nil || len(frames) != 1 {
			t.Fatalf("%x: %d frames, %v", wire, len(frames), err)
		}
		return frames[0].Append(nil, 0, Lite05)
	case "DATAGRAM":
		d, err := ParseDatagram(wire)
		if err != nil {
			t.Fatalf("%x: %v", wire, err)
		}
		return d.Append(nil)
	}
	c, ok := codecs[name]
	if !ok {
		t.Fatalf("nothing reads %s", name)
	}
	m, _, err := c.parse(wire)
	if err != nil {
		t.Fatalf("%s %x: %v", name, wire, err)
	}
	return m.Append(nil)
}

// Comments cite sections by number; a number that is gone helps nobody.
func TestCitedSectionsExist(t *testing.T) {
	headings := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^#+ ([0-9.]+?)\.? `).FindAllStringSubmatch(readWireDoc(t), -1) {
		headings[match[1]] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	cited := 0
	citation := regexp.MustCompile(`docs/wire\.md,(?:\n//)? section(?:\n//)? ([0-9]+(?:\.[0-9]+)?)`)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range citation.FindAllSubmatch(b, -1) {
			cited++
			if !headings[string(match[1])] {
				t.Errorf("%s cites section %s, which is not there", file, match[1])
			}
		}
	}
	if cited == 0 {
		t.Error("nothing is cited")
	}
}
