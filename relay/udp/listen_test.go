package udp

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestListenCarriesPackets(t *testing.T) {
	conn, err := Listen("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.WriteTo([]byte("hello"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, _, err := conn.ReadFrom(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("%q %v", b[:n], err)
	}
}

// One socket takes IPv4 and IPv6 when no host is given.
func TestListenTakesEveryAddress(t *testing.T) {
	conn, err := Listen(":0", Options{Buffer: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := conn.LocalAddr().(*net.UDPAddr).Port
	for _, host := range []string{"127.0.0.1", "::1"} {
		peer, err := net.Dial("udp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil {
			t.Skipf("no %s here: %v", host, err)
		}
		defer peer.Close()
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := conn.ReadFrom(make([]byte, 1)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestListenSaysWhichPortIsInUse(t *testing.T) {
	first, err := Listen("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	port := fmt.Sprint(first.LocalAddr().(*net.UDPAddr).Port)
	_, err = Listen("127.0.0.1:"+port, Options{})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("%v, want ErrInUse", err)
	}
	for _, want := range []string{"udp port " + port + " on 127.0.0.1", "choose another", "ss -Hulpn 'sport = :" + port + "'"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestListenSaysWhatIsWrongWithAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"4443":                "want HOST:PORT",
		"":                    "want HOST:PORT",
		"localhost":           "want HOST:PORT",
		"[::1:0":              "want HOST:PORT",
		"127.0.0.1:65536":     "65536",
		"127.0.0.1:udp-stuff": "udp-stuff",
		"192.0.2.1:0":         "does not have that address", // TEST-NET-1, RFC 5737
	} {
		conn, err := Listen(address, Options{})
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "udp") {
			t.Errorf("%q: %v, want it to say %q", address, err, want)
		}
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		network string
		err     error
		want    string
		inUse   bool
	}{
		{"tcp", os.NewSyscallError("bind", syscall.EADDRINUSE), "ss -Htlpn 'sport = :80'", true},
		{"udp", os.NewSyscallError("bind", syscall.EACCES), "CAP_NET_BIND_SERVICE", false},
		{"udp", os.NewSyscallError("socket", syscall.EMFILE), "too many open files", false},
	}
	for _, tt := range tests {
		err := Explain(tt.network, ":80", tt.err)
		if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), ErrInUse.Error()) == tt.inUse {
			t.Errorf("%v: %q, want it to say %q", tt.err, err, tt.want)
		}
		if errors.Is(err, ErrInUse) != tt.inUse {
			t.Errorf("%v: in use %v", tt.err, !tt.inUse)
		}
	}
}

func TestRemedy(t *testing.T) {
	tests := []struct {
		goos    string
		granted Granted
		want    string
	}{
		{"linux", Granted{Wanted: 100, Receive: 100, Send: 100}, ""},
		{"linux", Granted{Wanted: 100, Receive: 200, Send: 300}, ""},
		{"linux", Granted{Wanted: 100, Receive: 99, Send: 100}, "sysctl -w net.core.rmem_max=100"},
		{"linux", Granted{Wanted: 100, Receive: 100, Send: 50}, "sysctl -w net.core.wmem_max=100"},
		{"linux", Granted{Wanted: 100}, "sysctl -w net.core.rmem_max=100 net.core.wmem_max=100"},
		{"darwin", Granted{Wanted: 100, Receive: 50, Send: 100}, "sysctl kern.ipc.maxsockbuf=200"},
		{"plan9", Granted{Wanted: 100, Receive: 50, Send: 100}, "raise the system's limit on socket buffers"},
	}
	for _, tt := range tests {
		if got := tt.granted.remedy(tt.goos); got != tt.want {
			t.Errorf("%s %+v: %q, want %q", tt.goos, tt.granted, got, tt.want)
		}
	}
}

func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
