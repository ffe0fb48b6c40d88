package event

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// ParseBytes reads a size such as 16GiB, 512MB or 17179869184. A unit of two
// letters counts in thousands, one with an i in 1024s.
func ParseBytes(s string) (float64, error) {
	return parse(s, []unit{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}, {"", 1},
	}, "a size such as 16GiB")
}

// ParseBits reads a speed such as 10Gbps, 800Mbit/s or 1e9.
func ParseBits(s string) (float64, error) {
	var units []unit
	for _, suffix := range []string{"bps", "bit/s", "b/s", "bit"} {
		for prefix, times := range map[string]float64{"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "": 1} {
			units = append(units, unit{prefix + suffix, times})
		}
	}
	return parse(s, append(units, unit{"", 1}), "a speed such as 10Gbps")
}

type unit struct {
	name  string
	times float64
}

func parse(s string, units []unit, want string) (float64, error) {
	s = strings.TrimSpace(s)
	end := strings.LastIndexFunc(s, unicode.IsDigit) + 1
	name := strings.TrimSpace(s[end:])
	for _, u := range units {
		if !strings.EqualFold(u.name, name) {
			continue
		}
		v, err := strconv.ParseFloat(s[:end], 64)
		if err != nil || v < 0 || math.IsInf(v*u.times, 0) {
			break
		}
		return v * u.times, nil
	}
	return 0, fmt.Errorf("%q is not %s", s, want)
}

// Bytes writes a size.
func Bytes(v float64) string {
	switch {
	case v >= 1<<30:
		return short(v/(1<<30)) + " GiB"
	case v >= 1<<20:
		return short(v/(1<<20)) + " MiB"
	case v >= 1000:
		return short(v/1000) + " kB"
	}
	return short(v) + " B"
}

// Bits writes a speed.
func Bits(v float64) string {
	switch {
	case v >= 1e12:
		return short(v/1e12) + " Tbit/s"
	case v >= 1e9:
		return short(v/1e9) + " Gbit/s"
	case v >= 1e6:
		return short(v/1e6) + " Mbit/s"
	case v >= 1000:
		return short(v/1000) + " kbit/s"
	}
	return short(v) + " bit/s"
}

// short writes three digits.
func short(v float64) string {
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	out := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(out, ".") {
		out = strings.TrimRight(strings.TrimRight(out, "0"), ".")
	}
	return out
}

// thousands writes a number with its thousands apart.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// some writes how many there are of something.
func some(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}
