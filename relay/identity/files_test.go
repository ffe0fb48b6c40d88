package identity

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFromFilesFollowsThem(t *testing.T) {
	dir := t.TempDir()
	now := epoch
	var log bytes.Buffer
	// stamped renews the pair with a time of its own: two writes within one
	// tick of the file system's clock would look the same.
	stamped := func(minutes int, names ...string) {
		for _, name := range names {
			at := epoch.Add(time.Duration(minutes) * time.Minute)
			if err := os.Chtimes(name, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	certFile, keyFile := writePair(t, dir, epoch, epoch.Add(90*day))
	stamped(0, certFile, keyFile)
	certs, err := FromFiles(certFile, keyFile, Options{
		Now:    func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	first := certs.Current()
	if hashOf(shake(t, certs)) != first || !slices.Equal(certs.Known(), []string{first}) {
		t.Error("shows another certificate than it says")
	}

	oldKey := mustRead(t, keyFile)
	writePair(t, dir, epoch.Add(time.Second), epoch.Add(90*day))
	newKey := mustRead(t, keyFile)
	if err := os.WriteFile(keyFile, oldKey, 0o600); err != nil {
		t.Fatal(err)
	}
	stamped(1, certFile)
	now = now.Add(lookEvery - 1)
	if certs.Current() != first {
		t.Error("looked again within a second")
	}
	now = now.Add(lookEvery)
	if certs.Current() != first {
		t.Error("took a certificate without its key")
	}
	now = now.Add(lookEvery)
	if certs.Current(); strings.Count(log.String(), "keeping the old") != 1 {
		t.Errorf("want one complaint:\n%s", &log)
	}

	if err := os.WriteFile(keyFile, newKey, 0o600); err != nil {
		t.Fatal(err)
	}
	stamped(2, keyFile)
	now = now.Add(lookEvery)
	second := certs.Current()
	if second == first || hashOf(shake(t, certs)) != second {
		t.Error("did not take the new pair")
	}

	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(lookEvery)
		if certs.Current() != second {
			t.Error("lost its certificate with the file")
		}
	}
	if strings.Count(log.String(), "keeping the old") != 2 {
		t.Errorf("want a second complaint, and only one:\n%s", &log)
	}

	writePair(t, dir, epoch.Add(-2*day), epoch.Add(-day))
	stamped(3, certFile, keyFile)
	now = now.Add(-time.Hour) // the clock was set back
	if certs.Current() == second || !strings.Contains(log.String(), "has expired") {
		t.Errorf("want the new pair and a word on its date:\n%s", &log)
	}
}

func TestFromFilesRefusesAtTheStart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, epoch, epoch.Add(day))
	_, otherKey := writePair(t, t.TempDir(), epoch, epoch.Add(day))
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for name, pair := range map[string][2]string{
		"no certificate":       {missing, keyFile},
		"no key":               {certFile, missing},
		"text":                 {text, keyFile},
		"a text as key":        {certFile, text},
		"the wrong way around": {keyFile, certFile},
		"somebody else's key":  {certFile, otherKey},
		"a folder":             {dir, keyFile},
	} {
		if _, err := FromFiles(pair[0], pair[1], Options{}); err == nil || !strings.Contains(err.Error(), filepath.Dir(pair[0])) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
}
