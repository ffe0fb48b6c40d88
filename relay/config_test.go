package relay_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/relay"
)

func TestConfigErrorsSayWhatToDo(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	garbage := filepath.Join(t.TempDir(), "key.jwk")
	if err := os.WriteFile(garbage, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "hop-id"), []byte("zero"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		cfg  relay.Config
		says string
	}{
		{"nobody may come in", relay.Config{}, "--open"},
		{"both doors", relay.Config{Open: true, Keys: garbage}, "exclude each other"},
		{"half a certificate", relay.Config{Open: true, CertFile: "a.pem"}, "go together"},
		{"no port", relay.Config{Open: true, Listen: "localhost"}, "want HOST:PORT"},
		{"not a port", relay.Config{Open: true, Listen: "127.0.0.1:http3"}, "--listen"},
		{"not this machine", relay.Config{OpenListen: true, Listen: "192.0.2.1:0"}, "does not have that address"},
		{"clear text for all", relay.Config{Open: true, Listen: "127.0.0.1:0", HTTP: "0.0.0.0:0"}, "loopback"},
		{"odd advertise", relay.Config{Open: true, Listen: "127.0.0.1:0", Advertise: "example.org"}, "--advertise"},
		{"port in use", relay.Config{Open: true, Listen: taken.LocalAddr().String()}, "already in use"},
		{"admin port in use", relay.Config{Open: true, Listen: "127.0.0.1:0", Admin: "256.0.0.1:1"}, "--admin"},
		{"no keys there", relay.Config{Keys: "/nonexistent"}, "--keys"},
		{"keys that are none", relay.Config{Keys: garbage, Listen: "127.0.0.1:0"}, "--keys"},
		{"certificate that is none", relay.Config{Open: true, Listen: "127.0.0.1:0", CertFile: garbage, KeyFile: garbage}, "key.jwk"},
		{"damaged data directory", relay.Config{Open: true, Listen: "127.0.0.1:0", DataDir: damaged}, "hop-id"},
		{"data directory is a file", relay.Config{Open: true, Listen: "127.0.0.1:0", DataDir: garbage}, "--data-dir"},
		{"name of two lines", relay.Config{Open: true, Name: "a\nready b"}, "control character"},
		{"open to the world", relay.Config{Open: true}, "--open=listen"},
		{"open to a network", relay.Config{Open: true, Listen: "10.0.0.7:4443"}, "loopback"},
		{"open in two ways", relay.Config{Open: true, OpenListen: true, Listen: "127.0.0.1:0"}, "choose one"},
		{"no grace at all", relay.Config{Open: true, Listen: "127.0.0.1:0", HostGrace: -1}, "--host-grace"},
		{"capacity below zero", relay.Config{Open: true, Capacity: -1}, "--capacity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := relay.New(tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("New = %v, want it to say %q", err, tt.says)
			}
		})
	}
	if _, err := relay.New(relay.Config{}); !errors.Is(err, relay.ErrConfig) {
		t.Errorf("%v is not ErrConfig", err)
	}
}
