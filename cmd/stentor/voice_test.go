package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/relay"
)

// verb runs `stentor ARGS` in this process. Its messages go to stderr as usual.
// One at a time: package cli keeps state for the whole process.
func verb(ctx context.Context, args ...string) error {
	app := &cli.App{
		Name: "stentor", Commands: []*cli.Command{speakCommand(), listenCommand()},
		Writer: io.Discard, ErrWriter: io.Discard,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
	}
	return app.RunContext(ctx, append([]string{"stentor"}, args...))
}

// aRelay runs an open relay until the test ends and returns its URL.
func aRelay(t *testing.T) string {
	t.Helper()
	ready := make(chan string, 1)
	r, err := relay.New(relay.Config{Listen: "127.0.0.1:0", Open: true, OnReady: func(r *relay.Relay) { ready <- r.URL() }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = r.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
	select {
	case url := <-ready:
		return url
	case <-time.After(time.Minute):
		t.Fatal("the relay does not serve")
		return ""
	}
}

// TestVoiceVerbsRefuse holds the ways to call the verbs that must fail, with the
// exit code that scripts look at and a text that helps.
func TestVoiceVerbsRefuse(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	voice := file("voice.opus", sample.Voice)
	page := file("page.opus", []byte("<html>not found</html>"))
	nobody := []string{"--relay", "https://127.0.0.1:1", "--connect-timeout", "50ms"}
	speak := func(more ...string) []string { return append(append([]string{"speak"}, nobody...), more...) }
	listen := func(more ...string) []string { return append(append([]string{"listen"}, nobody...), more...) }
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"speak: no room", speak("--name", "ada", voice), exitUsage, "--room is missing"},
		{"speak: no name", speak("--room", "town", voice), exitUsage, "--name is missing"},
		{"speak: name with a slash", speak("--room", "town", "--name", "a/b", voice), exitUsage, "slash"},
		{"speak: 300 characters", speak("--room", strings.Repeat("x", 300), "--name", "ada", voice), exitUsage, "300 characters"},
		{"speak: nothing to say", speak("--room", "town", "--name", "ada"), exitUsage, "give a FILE"},
		{"speak: two files", speak("--room", "town", "--name", "ada", voice, voice), exitUsage, "one FILE"},
		{"speak: flag behind the file", speak("--room", "town", "--name", "ada", voice, "--loop"), exitUsage, "flags come before"},
		{"speak: file and microphone", speak("--room", "town", "--name", "ada", "--mic", voice), exitUsage, "exclude each other"},
		{"speak: loop the microphone", speak("--room", "town", "--name", "ada", "--mic", "--loop"), exitUsage, "--loop is for files"},
		{"speak: no such file", speak("--room", "town", "--name", "ada", filepath.Join(dir, "none.opus")), exitUsage, "no such file"},
		{"speak: not audio", speak("--room", "town", "--name", "ada", page), exitFailed, "not audio"},
		{"speak: absurd bitrate", speak("--room", "town", "--name", "ada", "--bitrate", "1", "-"), exitFailed, "bit rate"},
		{"speak: both transports", speak("--room", "town", "--name", "ada", "--quic", "--webtransport", voice), exitUsage, "exclude each other"},
		{"speak: no hash", speak("--room", "town", "--name", "ada", "--certificate-sha256", "beef", voice), exitUsage, "64 hexadecimal digits"},
		{"speak: no URL", []string{"speak", "--relay", "relay:4443", "--room", "town", "--name", "ada", voice}, exitUsage, "use https://host:port"},
		{"speak: unknown flag", speak("--rom", "town"), exitUsage, "'stentor speak --help'"},
		{"speak: loud log", speak("--room", "town", "--name", "ada", "--log-level", "loud", voice), exitUsage, "--log-level"},
		{"speak: nobody there", speak("--room", "town", "--name", "ada", voice), exitUnreachable, "not reachable"},
		{"speak: out without listen", speak("--room", "town", "--name", "ada", "--out", "x.wav", voice), exitUsage, "--out is for --listen"},
		{"speak: duck without listen", speak("--room", "town", "--name", "ada", "--duck", "-"), exitUsage, "--duck is for --listen"},
		{"speak: duck a file", speak("--room", "town", "--name", "ada", "--listen", "--duck", voice), exitUsage, "a file hears no room"},
		{"speak: hear packets", speak("--room", "town", "--name", "ada", "--listen", "--out", "x.opus", voice), exitUsage, "must end in .wav"},
		{"speak: endless delay", speak("--room", "town", "--name", "ada", "--listen", "--out", "-", "--delay", "1h", voice), exitUsage, "--delay"},
		{"speak: hear nobody", speak("--room", "town", "--name", "ada", "--listen", "--out", filepath.Join(dir, "h.wav"), voice), exitUnreachable, "not reachable"},
		{"listen: no room", listen(), exitUsage, "--room is missing"},
		{"listen: argument", listen("--room", "town", "x.opus"), exitUsage, `"x.opus"`},
		{"listen: 40 ms", listen("--room", "town", "--packet", "40ms", "--out", "-"), exitUsage, "20ms, 60ms and 120ms"},
		{"listen: negative delay", listen("--room", "town", "--delay", "-1s", "--out", "-"), exitUsage, "--delay"},
		{"listen: endless delay", listen("--room", "town", "--delay", "1h", "--out", "-"), exitUsage, "10s at most"},
		{"listen: MP3", listen("--room", "town", "--out", "x.mp3"), exitUsage, ".opus or .wav"},
		{"listen: no such folder", listen("--room", "town", "--out", filepath.Join(dir, "no", "x.wav")), exitUsage, "no such file"},
		{"listen: stats into a folder", listen("--room", "town", "--out", "-", "--stats", dir), exitUsage, "is a folder"},
		{"listen: nobody there", listen("--room", "town", "--out", filepath.Join(dir, "x.wav")), exitUnreachable, "not reachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := verb(t.Context(), tt.args...)
			if exitCode(err) != tt.code || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("exit code %d: %v; want %d and %q", exitCode(err), err, tt.code, tt.says)
			}
		})
	}
}

// TestNobodyHeard: a recording of nothing is a failure, and leaves no file.
func TestNobodyHeard(t *testing.T) {
	url := aRelay(t)
	for _, out := range []string{"x.opus", "x.wav"} {
		path := filepath.Join(t.TempDir(), out)
		err := verb(t.Context(), "listen", "--relay", url, "--room", "town", "--duration", "300ms", "--out", path)
		if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "nobody was heard") {
			t.Errorf("%s: exit code %d: %v", out, exitCode(err), err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", out)
		}
	}
}
