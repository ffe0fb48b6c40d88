package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// writeKey writes a key, or text in its place, with a time of its own: two
// writes within one tick of the file system's clock would look the same.
func writeKey(t *testing.T, name string, content any, at time.Time) {
	t.Helper()
	b, ok := content.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
}

func mustSign(t *testing.T, key Key) string {
	t.Helper()
	signed, err := Sign(key, Claims{Scope: Scope{Get: paths(t, "")}})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func keyNamed(t *testing.T, id string) Key {
	t.Helper()
	key, err := Generate("HS256", id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeyringFollowsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.jwk")
	first, second := keyNamed(t, "first"), keyNamed(t, "second")
	writeKey(t, file, first, noon)

	var log bytes.Buffer
	ring, err := OpenKeyring(file, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	expect := func(step string, firstErr, secondErr error) {
		t.Helper()
		for _, tt := range []struct {
			key  Key
			want error
		}{{first, firstErr}, {second, secondErr}} {
			if _, err := ring.Verify(mustSign(t, tt.key), "", now); !errors.Is(err, tt.want) {
				t.Errorf("%s: %s: %v, want %v", step, tt.key, err, tt.want)
			}
		}
	}
	expect("at the start", nil, ErrSignature)

	writeKey(t, file, second, noon.Add(time.Minute))
	now = now.Add(lookEvery - 1)
	expect("within a second of the last look", nil, ErrSignature)
	now = now.Add(1)
	expect("a second after it", ErrSignature, nil)

	writeKey(t, file, []byte(`{"kty":"oct"`), noon.Add(2*time.Minute))
	now = now.Add(lookEvery)
	expect("half written", ErrSignature, nil)
	now = now.Add(lookEvery)
	expect("still half written", ErrSignature, nil)
	if n := strings.Count(log.String(), "bad key"); n != 1 {
		t.Errorf("complained %d times, want once:\n%s", n, &log)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookEvery)
	expect("removed", ErrSignature, nil)
	now = now.Add(lookEvery)
	expect("still removed", ErrSignature, nil)
	if n := strings.Count(log.String(), "keys unreadable"); n != 1 {
		t.Errorf("complained %d times, want once:\n%s", n, &log)
	}

	writeKey(t, file, first, noon.Add(3*time.Minute))
	now = now.Add(-time.Hour) // the clock was set back
	expect("back again", nil, ErrSignature)
}

func TestKeyringFollowsAFolder(t *testing.T) {
	dir := t.TempDir()
	ada, bob := keyNamed(t, "ada"), keyNamed(t, "bob")
	writeKey(t, filepath.Join(dir, "ada.jwk"), ada, noon)
	writeKey(t, filepath.Join(dir, "README"), []byte("not a key"), noon)

	var log bytes.Buffer
	ring, err := OpenKeyring(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	expect := func(step string, adaErr, bobErr error) {
		t.Helper()
		now = now.Add(lookEvery)
		if _, err := ring.Verify(mustSign(t, ada), "", now); !errors.Is(err, adaErr) {
			t.Errorf("%s: ada: %v, want %v", step, err, adaErr)
		}
		if _, err := ring.Verify(mustSign(t, bob), "", now); !errors.Is(err, bobErr) {
			t.Errorf("%s: bob: %v, want %v", step, err, bobErr)
		}
	}
	expect("at the start", nil, ErrUnknownKey)
	writeKey(t, filepath.Join(dir, "bob.jwk"), bob, noon)
	expect("bob came", nil, nil)
	writeKey(t, filepath.Join(dir, "ada.jwk"), []byte("?"), noon.Add(time.Minute))
	expect("ada went bad", nil, nil)
	if !strings.Contains(log.String(), "ada.jwk") {
		t.Errorf("the log does not name the bad file:\n%s", &log)
	}
	if err := os.Remove(filepath.Join(dir, "bob.jwk")); err != nil {
		t.Fatal(err)
	}
	expect("bob was taken away", nil, ErrUnknownKey)
	writeKey(t, filepath.Join(dir, "ada.jwk"), keyNamed(t, "ada"), noon.Add(2*time.Minute))
	expect("ada was replaced", ErrSignature, ErrUnknownKey)
	writeKey(t, filepath.Join(dir, "bob.jwk"), keyNamed(t, "eve"), noon.Add(3*time.Minute))
	expect("bob is somebody else", ErrSignature, ErrUnknownKey)
	if err := os.Remove(filepath.Join(dir, "ada.jwk")); err != nil {
		t.Fatal(err)
	}
	expect("nobody left", ErrUnknownKey, ErrUnknownKey)
}

func TestFolderChoosesByKid(t *testing.T) {
	dir := t.TempDir()
	ada := keyNamed(t, "ada")
	writeKey(t, filepath.Join(dir, "ada.jwk"), ada, noon)
	nameless := keyNamed(t, "x")
	nameless.jwk.Kid = ""
	writeKey(t, filepath.Join(dir, "file-name.jwk"), nameless, noon)
	keys, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	const payload = `{"get":""}`
	method := ada.method()
	tests := []struct {
		name   string
		key    Key
		header map[string]any
		want   error
	}{
		{"its kid", ada, map[string]any{"kid": "ada"}, nil},
		{"the file's name", nameless, map[string]any{"kid": "file-name"}, nil},
		{"no kid", ada, nil, ErrUnknownKey},
		{"an empty kid", ada, map[string]any{"kid": ""}, ErrUnknownKey},
		{"a kid that is a number", ada, map[string]any{"kid": 1}, ErrUnknownKey},
		{"a kid that is a path", ada, map[string]any{"kid": "../" + filepath.Base(dir) + "/ada"}, ErrUnknownKey},
		{"a kid of a megabyte's start", ada, map[string]any{"kid": strings.Repeat("k", 4000)}, ErrUnknownKey},
		{"somebody else's kid", ada, map[string]any{"kid": "file-name"}, ErrSignature},
	}
	for _, tt := range tests {
		token := forge(t, method, tt.key.signing, tt.header, payload)
		if _, err := keys.Verify(token, "", noon); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		} else if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: an error of %d bytes", tt.name, len(err.Error()))
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	signOnly := keyNamed(t, "sign")
	signOnly.jwk.KeyOps = []string{"sign"}
	tests := []struct {
		name  string
		files map[string]any // below keys/
		load  string
		want  error
	}{
		{"nothing there", nil, "missing", os.ErrNotExist},
		{"a folder without keys", map[string]any{"README": []byte("x")}, "", ErrKey},
		{"a folder with one bad key of two", map[string]any{"a.jwk": keyNamed(t, "a"), "b.jwk": []byte("x")}, "", ErrKey},
		{"a kid that is not the file's name", map[string]any{"a.jwk": keyNamed(t, "b")}, "", ErrKey},
		{"a file name that is no kid", map[string]any{"a b.jwk": keyNamed(t, "a")}, "", ErrKey},
		{"a key that may only sign", map[string]any{"sign.jwk": signOnly}, "", ErrKey},
		{"a file that is no key", map[string]any{"key.pem": []byte("-----BEGIN")}, "key.pem", ErrKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range tt.files {
				writeKey(t, filepath.Join(dir, name), content, noon)
			}
			path := filepath.Join(dir, tt.load)
			if _, err := Load(path); !errors.Is(err, tt.want) {
				t.Errorf("Load: %v, want %v", err, tt.want)
			}
			if _, err := OpenKeyring(path, nil); !errors.Is(err, tt.want) {
				t.Errorf("OpenKeyring: %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLoadTakesAnyKidFromOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	key := keyNamed(t, "ada")
	writeKey(t, file, key, noon)
	keys, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	token := forge(t, key.method(), key.signing, map[string]any{"kid": "whoever"}, `{"get":""}`)
	if _, err := keys.Verify(token, "", noon); err != nil {
		t.Error(err)
	}
	if same, err := LoadKey(file); err != nil || same.ID() != "ada" {
		t.Errorf("LoadKey: %v %v", same, err)
	}
}

// Sessions come in at the same time, and the file changes under them.
func TestKeyringUnderRace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.jwk")
	first, second := keyNamed(t, "first"), keyNamed(t, "second")
	writeKey(t, file, first, noon)
	ring, err := OpenKeyring(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := mustSign(t, first)
	var sessions sync.WaitGroup
	for range 4 {
		sessions.Go(func() {
			for i := range 50 {
				_, err := ring.Verify(token, "", noon.Add(time.Duration(i)*lookEvery))
				if err != nil && !errors.Is(err, ErrSignature) {
					t.Errorf("neither the one key nor the other: %v", err)
				}
			}
		})
	}
	for i := range 10 {
		writeKey(t, file, []Key{second, first}[i%2], noon.Add(time.Duration(i+1)*time.Minute))
	}
	sessions.Wait()
	if _, err := ring.Verify(token, "", noon.Add(time.Hour)); err != nil {
		t.Errorf("the key that was written last: %v", err)
	}
}
