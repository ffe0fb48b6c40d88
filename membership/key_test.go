package membership

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	keyA = Key{0: 0xfb, 1: 0xff, 31: 1} // its base64 has - or + and _ or /
	keyB = Key{31: 2}
)

func TestLoadKeys(t *testing.T) {
	hexA, hexB := keyA.Hex(), keyB.Hex()
	tests := []struct {
		name string
		file string
		want []Key // nil: ErrKey
	}{
		{"hex", hexA, []Key{keyA}},
		{"hex in capitals", strings.ToUpper(hexA), []Key{keyA}},
		{"hex and a line end", hexA + "\n", []Key{keyA}},
		{"hex and a foreign line end", hexA + "\r\n", []Key{keyA}},
		{"base64", base64.StdEncoding.EncodeToString(keyA[:]), []Key{keyA}},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString(keyA[:]), []Key{keyA}},
		{"base64 for URLs", base64.URLEncoding.EncodeToString(keyA[:]), []Key{keyA}},
		{"two keys, the first encrypts", "# new\n" + hexB + "\n\n# old\n  " + hexA + "\n", []Key{keyB, keyA}},

		{"empty", "", nil},
		{"only a comment", "# nothing yet\n", nil},
		{"16 bytes", hexA[:32], nil},
		{"33 bytes", hexA + "00", nil},
		{"63 digits", hexA[:63], nil},
		{"not hex", "zz" + hexA[2:], nil},
		{"a passphrase", "correct horse battery staple", nil},
		{"one good, one bad", hexA + "\nnope\n", nil},
		{"two on a line", hexA + " " + hexB, nil},
		{"endless", strings.Repeat(hexA+"\n", 1000), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gossip.key")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			keys, err := LoadKeys(path)
			if tt.want == nil {
				if !errors.Is(err, ErrKey) || keys != nil {
					t.Errorf("LoadKeys = %d keys, %v; want ErrKey", len(keys), err)
				}
				if err != nil && strings.Contains(err.Error(), hexA[:20]) {
					t.Errorf("the error tells the key: %v", err)
				}
				return
			}
			if err != nil || !slices.Equal(keys, tt.want) {
				t.Errorf("LoadKeys = %v keys, %v; want %v", len(keys), err, len(tt.want))
			}
		})
	}
}

func TestLoadKeysNoFile(t *testing.T) {
	if _, err := LoadKeys(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("LoadKeys = %v, want ErrNotExist", err)
	}
}

func TestGeneratedKeysDiffer(t *testing.T) {
	a, b := GenerateKey(), GenerateKey()
	if a == b || a == (Key{}) {
		t.Error("two keys in a row are the same")
	}
	if again, err := ParseKey(a.Hex()); err != nil || again != a {
		t.Errorf("ParseKey(Hex()) = %v", err)
	}
}

func TestKeysStayOutOfLogs(t *testing.T) {
	for _, format := range []string{"%v", "%s", "%+v", "%#v"} {
		if s := fmt.Sprintf(format, []Key{keyA}); strings.Contains(strings.ToLower(s), "fb") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}
