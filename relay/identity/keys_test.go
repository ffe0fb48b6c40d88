package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/protocol"
)

// values are what is kept in a file, each read as text.
var values = []struct {
	name, file string
	read       func(dir string) (any, error)
	bad        []string // contents to refuse
}{
	{
		"stateless reset key", resetKeyFile,
		func(dir string) (any, error) { return StatelessResetKey(dir) },
		[]string{"", "\n", "00", strings.Repeat("g", 64), strings.Repeat("0", 62), strings.Repeat("0", 66), strings.Repeat("\x00", 32)},
	},
	{
		"token generator key", tokenKeyFile,
		func(dir string) (any, error) { return TokenGeneratorKey(dir) },
		[]string{"", strings.Repeat("0", 63)},
	},
	{
		"hop id", hopIDFile,
		func(dir string) (any, error) { return HopID(dir) },
		[]string{"", "0", "-1", "1.5", "0x10", "9007199254740992", "99999999999999999999", "1 2"},
	},
}

func TestValuesOutliveARestart(t *testing.T) {
	for _, v := range values {
		t.Run(v.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "not", "there", "yet")
			first, err := v.read(dir)
			if err != nil {
				t.Fatal(err)
			}
			again, err := v.read(dir)
			if err != nil || first != again {
				t.Errorf("%v became %v (%v)", first, again, err)
			}
			info, err := os.Stat(filepath.Join(dir, v.file))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, want only the owner to read it", info.Mode())
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

func TestValuesWithoutDirectoryAreNew(t *testing.T) {
	for _, v := range values {
		first, err1 := v.read("")
		again, err2 := v.read("")
		if err1 != nil || err2 != nil || first == again {
			t.Errorf("%s: %v, then %v (%v, %v)", v.name, first, again, err1, err2)
		}
	}
}

func TestValuesRefuseMalformedFiles(t *testing.T) {
	for _, v := range values {
		for _, bad := range v.bad {
			dir := t.TempDir()
			path := filepath.Join(dir, v.file)
			if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := v.read(dir)
			if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s %q: %v, %v, want ErrFile that names the file", v.name, bad, got, err)
			}
			if kept, _ := os.ReadFile(path); string(kept) != bad {
				t.Errorf("%s: the file was changed to %q", v.name, kept)
			}
		}
	}
}

func TestValuesSayWhyTheDirectoryIsNoUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		var pathError *fs.PathError
		if _, err := v.read(file); !errors.As(err, &pathError) {
			t.Errorf("%s in a file: %v", v.name, err)
		}
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, v.file), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := v.read(dir); !errors.As(err, &pathError) {
			t.Errorf("%s is a folder: %v", v.name, err)
		}
	}
}

func TestHopIDsAreUsable(t *testing.T) {
	for range 1000 {
		id, err := HopID("")
		if err != nil || id == 0 || id > protocol.MaxInteger {
			t.Fatalf("hop id %d (%v)", id, err)
		}
	}
}
