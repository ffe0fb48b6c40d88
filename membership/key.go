package membership

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// A Key encrypts the gossip of a network (AES-256-GCM). Whoever has it can put
// a relay into the network, with a certificate that all others will trust.
type Key [32]byte

// GenerateKey returns a new random key.
func GenerateKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// Hex is the key as a file holds it.
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }

// String keeps keys out of logs.
func (Key) String() string { return "gossip key (hidden)" }

// GoString keeps keys out of logs printed with %#v.
func (k Key) GoString() string { return k.String() }

// ParseKey reads a key of 64 hex digits, or of 32 bytes in base64 with or
// without padding, in the standard or the URL alphabet. Every error is an
// [ErrKey] and holds nothing of s.
func ParseKey(s string) (Key, error) {
	s = strings.TrimSpace(s)
	if b, err := hex.DecodeString(s); err == nil && len(b) == len(Key{}) {
		return Key(b), nil
	}
	bare := strings.TrimRight(s, "=")
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := alphabet.DecodeString(bare); err == nil && len(b) == len(Key{}) {
			return Key(b), nil
		}
	}
	return Key{}, fmt.Errorf("%w: want 32 bytes as 64 hex digits or in base64", ErrKey)
}

// maxKeyFile is far more than the keys of any rotation take.
const maxKeyFile = 16 << 10

// LoadKeys reads the keys in a file, one a line; empty lines and those that
// start with # are skipped. The first key encrypts, all of them decrypt, so a
// network changes its key without a gap in three rounds over its relays: add
// the new one as the last line, make it the first, remove the old one.
func LoadKeys(path string) ([]Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gossip key: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("gossip key: %w", err)
	}
	if len(b) > maxKeyFile {
		return nil, fmt.Errorf("%s: %w: the file is longer than %d bytes", path, ErrKey, maxKeyFile)
	}
	var keys []Key
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: %w: the file holds none", path, ErrKey)
	}
	return keys, nil
}
