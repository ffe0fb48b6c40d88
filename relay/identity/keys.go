package identity

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
)

// The files in the data directory.
const (
	resetKeyFile    = "stateless-reset.key"
	tokenKeyFile    = "token-generator.key"
	hopIDFile       = "hop-id"
	certificateFile = "certificates.pem"
)

// ErrFile says that a file in the data directory does not hold what it should.
// It is left alone: whoever knows that it can go removes it.
var ErrFile = errors.New("unusable file in the data directory")

// StatelessResetKey returns the key in dir, made at the first call. It is a
// random one if dir is empty.
func StatelessResetKey(dir string) (quic.StatelessResetKey, error) {
	return key[quic.StatelessResetKey](dir, resetKeyFile)
}

// TokenGeneratorKey returns the key in dir, made at the first call. It is a
// random one if dir is empty.
func TokenGeneratorKey(dir string) (quic.TokenGeneratorKey, error) {
	return key[quic.TokenGeneratorKey](dir, tokenKeyFile)
}

// key keeps 32 bytes as a line of hexadecimal digits.
func key[K ~[32]byte](dir, name string) (K, error) {
	return kept(dir, name,
		func() (K, error) {
			var k [32]byte
			_, err := rand.Read(k[:])
			return K(k), err
		},
		func(k K) string {
			b := [32]byte(k)
			return hex.EncodeToString(b[:])
		},
		func(text string) (K, error) {
			b, err := hex.DecodeString(text)
			if err != nil || len(b) != len(K{}) {
				return K{}, fmt.Errorf("want %d hexadecimal digits", 2*len(K{}))
			}
			return K(b), nil
		})
}

// HopID returns the hop id in dir, made at the first call: random, not zero,
// at most [protocol.MaxInteger], because JavaScript peers read no larger one.
// It is a new one at each call if dir is empty.
func HopID(dir string) (uint64, error) {
	return kept(dir, hopIDFile,
		func() (uint64, error) {
			below, err := rand.Int(rand.Reader, big.NewInt(protocol.MaxInteger))
			if err != nil {
				return 0, err
			}
			return below.Uint64() + 1, nil
		},
		func(id uint64) string { return strconv.FormatUint(id, 10) },
		func(text string) (uint64, error) {
			id, err := strconv.ParseUint(text, 10, 64)
			if err != nil || id == 0 || id > protocol.MaxInteger {
				return 0, fmt.Errorf("want a number from 1 to %d", protocol.MaxInteger)
			}
			return id, nil
		})
}

// kept reads a value from a file, or makes it and writes the file.
func kept[V any](dir, name string, invent func() (V, error), format func(V) string, parse func(string) (V, error)) (V, error) {
	var none V
	if dir == "" {
		return invent()
	}
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err == nil {
		v, err := parse(strings.TrimSpace(string(b)))
		if err != nil {
			return none, fmt.Errorf("%w: %s: %w; remove it to have a new one made", ErrFile, path, err)
		}
		return v, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return none, fmt.Errorf("data directory: %w", err)
	}
	v, err := invent()
	if err != nil {
		return none, err
	}
	return v, write(path, []byte(format(v)+"\n"))
}

// write puts a whole file in place, or none: a relay that is killed meanwhile
// finds the old one or none when it comes back, never half of one.
func write(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
