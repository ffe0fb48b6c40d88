package udp

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// limit reads a kernel parameter.
func limit(t *testing.T, name string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/core/" + name)
	if err != nil {
		t.Skip(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// unprivileged runs f on a thread of its own that may not exceed the limits,
// whoever runs the tests.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		// Not unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		err := unix.Capget(&header, &data[0])
		if err == nil {
			data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
			err = unix.Capset(&header, &data[0])
		}
		if err == nil {
			f()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Skip("cannot drop a capability:", err)
	}
}

func TestListenGrowsWithinTheLimit(t *testing.T) {
	want := min(limit(t, "rmem_max"), limit(t, "wmem_max"))
	t.Setenv(quicGoWarning, "")
	os.Unsetenv(quicGoWarning)
	unprivileged(t, func() {
		var log bytes.Buffer
		conn, err := Listen("127.0.0.1:0", Options{Buffer: want, Logger: logTo(&log)})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if got := Grow(conn, want); got.Receive < want || got.Send < want {
			t.Errorf("granted %+v", got)
		}
		if log.Len() != 0 {
			t.Errorf("complained:\n%s", &log)
		}
		if _, set := os.LookupEnv(quicGoWarning); set {
			t.Error("quic-go's warning was turned off without a warning of ours")
		}
	})
}

func TestListenSaysHowToRaiseTheLimit(t *testing.T) {
	receive, send := limit(t, "rmem_max"), limit(t, "wmem_max")
	want := 2 * max(receive, send)
	t.Setenv(quicGoWarning, "")
	os.Unsetenv(quicGoWarning)
	unprivileged(t, func() {
		var log bytes.Buffer
		conn, err := Listen("127.0.0.1:0", Options{Buffer: want, Logger: logTo(&log)})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if got := Grow(conn, want); got.Receive != receive || got.Send != send {
			t.Errorf("granted %+v, limits are %d and %d", got, receive, send)
		}
		remedy := fmt.Sprintf("sysctl -w net.core.rmem_max=%d net.core.wmem_max=%d", want, want)
		if strings.Count(log.String(), remedy) != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("want one line with %q:\n%s", remedy, &log)
		}
		if os.Getenv(quicGoWarning) != "true" {
			t.Error("quic-go would warn a second time")
		}
	})
}

func TestQuicGoWarningIsTheUsersChoice(t *testing.T) {
	t.Setenv(quicGoWarning, "false")
	if quiet(); os.Getenv(quicGoWarning) != "false" {
		t.Error("the user's choice was overruled")
	}
}

// Containers often run as root without the capabilities of root, and then again
// some do have them: with CAP_NET_ADMIN the limit does not bind.
func TestGrowBeyondTheLimitWhenAllowed(t *testing.T) {
	want := 2 * max(limit(t, "rmem_max"), limit(t, "wmem_max"))
	conn, err := Listen("127.0.0.1:0", Options{Buffer: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var allowed error
	if err := raw.Control(func(fd uintptr) {
		allowed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, want)
	}); err != nil {
		t.Fatal(err)
	}
	if allowed != nil {
		t.Skip("no CAP_NET_ADMIN:", allowed)
	}
	if got := Grow(conn, want); got.Receive < want || got.Send < want || got.Remedy() != "" {
		t.Errorf("granted %+v", got)
	}
	if got := Grow(conn, 1<<10); got.Receive < want {
		t.Errorf("a smaller wish shrank the buffer: %+v", got)
	}
}
