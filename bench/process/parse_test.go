package process

import (
	"errors"
	"strings"
	"testing"
)

// stats is a line of /proc/PID/stat with the fields that are of use, 1 to 52.
func stats(name, state, utime, stime, started string) string {
	f := make([]string, 50)
	for i := range f {
		f[i] = "0"
	}
	f[0], f[11], f[12], f[19] = state, utime, stime, started
	return "42 (" + name + ") " + strings.Join(f, " ") + "\n"
}

func TestParseStat(t *testing.T) {
	want := stat{state: 'S', user: 12, system: 3, started: 99}
	tests := []struct {
		name, line string
		want       stat
		ok         bool
	}{
		{"as usual", stats("stentor", "S", "12", "3", "99"), want, true},
		{"a name with spaces and parentheses", stats("a) S 1 (b", "S", "12", "3", "99"), want, true},
		{"dead", stats("x", "Z", "12", "3", "99"), stat{'Z', 12, 3, 99}, true},
		{"empty", "", stat{}, false},
		{"no name", "42 stentor S 1 2 3", stat{}, false},
		{"cut short", "42 (stentor) S 1 2 3", stat{}, false},
		{"nothing behind the name", "42 (stentor)", stat{}, false},
		{"a time below zero", stats("x", "S", "-1", "3", "99"), stat{}, false},
		{"a time that is none", stats("x", "S", "1", "soon", "99"), stat{}, false},
		{"a start that is none", stats("x", "S", "1", "3", "18446744073709551616"), stat{}, false},
	}
	for _, tt := range tests {
		got, err := parseStat([]byte(tt.line))
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
		if err != nil && !errors.Is(err, errFormat) {
			t.Errorf("%s: %v is not errFormat", tt.name, err)
		}
	}
}

func TestParseKilobytes(t *testing.T) {
	tests := []struct {
		name, file string
		want       int64
		ok         bool
	}{
		{"among others", "Size: 8 kB\nRss:      1234 kB\nPss: 5 kB\n", 1234 << 10, true},
		{"the last line without its end", "Rss: 1 kB", 1024, true},
		{"not the line of a longer name", "Rss_Anon: 7 kB\n", 0, false},
		{"no such line", "Size: 8 kB\n", 0, false},
		{"empty", "", 0, false},
		{"no unit", "Rss: 12\n", 0, false},
		{"another unit", "Rss: 12 MB\n", 0, false},
		{"no number", "Rss: many kB\n", 0, false},
		{"more bytes than there are numbers", "Rss: 9007199254740993 kB\n", 0, false},
	}
	for _, tt := range tests {
		got, err := parseKilobytes([]byte(tt.file), "Rss")
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%s: %d, %v", tt.name, got, err)
		}
		if err != nil && !errors.Is(err, errFormat) {
			t.Errorf("%s: %v is not errFormat", tt.name, err)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(stats("stentor", "S", "12", "3", "99")))
	f.Add([]byte("42 (a) b)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseStat(b); err != nil && !errors.Is(err, errFormat) {
			t.Fatal(err)
		}
	})
}
