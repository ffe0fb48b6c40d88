package token

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// keySuffix is how the files of a folder of keys end; others are ignored.
const keySuffix = ".jwk"

// Load reads the keys at path: a file with one JWK, or a folder of <kid>.jwk.
// Every key has to be usable and able to verify. It does not look again; a
// [Keyring] does.
func Load(path string) (*Keys, error) {
	found, err := scan(path)
	if err != nil {
		return nil, err
	}
	loaded, err := found.load(path)
	if err != nil {
		return nil, err
	}
	return found.keys(loaded), nil
}

// LoadKey reads one JWK from a file, for signing or verifying.
func LoadKey(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("key: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxKeyFile+1))
	if err != nil {
		return Key{}, fmt.Errorf("key: %w", err)
	}
	key, err := ParseKey(b)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// A listing is what one look at the path of the keys finds. Two are equal
// unless a file came, went or was written to.
type listing struct {
	folder bool
	files  []keyFile
}

type keyFile struct {
	path     string
	modified int64 // nanoseconds
	size     int64
}

// scan looks at path and, if that is a folder, at the key files in it. It
// follows symbolic links, since mounted secrets are made of them.
func scan(path string) (listing, error) {
	info, err := os.Stat(path)
	if err != nil {
		return listing{}, fmt.Errorf("keys: %w", err)
	}
	if !info.IsDir() {
		return listing{files: []keyFile{{path, info.ModTime().UnixNano(), info.Size()}}}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return listing{}, fmt.Errorf("keys: %w", err)
	}
	found := listing{folder: true}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), keySuffix) {
			continue
		}
		name := filepath.Join(path, entry.Name())
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed since, or a dangling link
		}
		if err != nil {
			return listing{}, fmt.Errorf("keys: %w", err)
		}
		found.files = append(found.files, keyFile{name, info.ModTime().UnixNano(), info.Size()})
	}
	return found, nil
}

// id is the kid that a file of a folder stands for.
func (f keyFile) id() string { return strings.TrimSuffix(filepath.Base(f.path), keySuffix) }

func readVerifyingKey(f keyFile, folder bool) (Key, error) {
	key, err := LoadKey(f.path)
	if err != nil {
		return Key{}, err
	}
	if !key.CanVerify() {
		return Key{}, fmt.Errorf("%s: %w: key_ops lacks verify", f.path, ErrKey)
	}
	if !folder {
		return key, nil
	}
	if !kidForm.MatchString(f.id()) {
		return Key{}, fmt.Errorf("%s: %w: a file name must be 1 to 128 of A-Z a-z 0-9 - _ before %s", f.path, ErrKey, keySuffix)
	}
	if key.id != "" && key.id != f.id() {
		return Key{}, fmt.Errorf("%s: %w: its kid is %s, the file must be called %s%s", f.path, ErrKey, key.id, key.id, keySuffix)
	}
	key.id = f.id()
	return key, nil
}

// load reads every file, by name. One bad file is an error, and so is none.
func (l listing) load(path string) (map[string]Key, error) {
	loaded := make(map[string]Key, len(l.files))
	for _, f := range l.files {
		key, err := readVerifyingKey(f, l.folder)
		if err != nil {
			return nil, err
		}
		loaded[f.path] = key
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("%w: no file named <kid>%s in %s", ErrKey, keySuffix, path)
	}
	return loaded, nil
}

// keys makes a verifier of keys by file name.
func (l listing) keys(loaded map[string]Key) *Keys {
	if !l.folder {
		for _, key := range loaded {
			return &Keys{only: &key}
		}
	}
	byID := make(map[string]Key, len(loaded))
	for _, key := range loaded {
		byID[key.id] = key
	}
	return &Keys{byID: byID}
}
