package report

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func testPage() Page {
	return Page{
		Title: "A <b>title</b>", Subtitle: "and & what it means", Warning: "not \"all\" of it",
		Tiles: []Tile{{Label: "lost", Value: "0", Unit: "µs", Note: "of <1000>"}, {Label: "bare", Value: "1"}},
		Charts: []Chart{
			{Title: "Line", Note: "a note", X: "seconds", Y: "%", Events: []Event{{2, "a & happened"}, {9, "outside"}}, Series: []Series{{Name: "relay's <own>", Points: []Point{{1, 2}, {3, 4}}}}},
			{Title: "Bars", X: "ms", LogX: true, Series: []Series{{Name: "b", Kind: Bars, Points: []Point{{1, 2}, {10, 4}}}}},
			{Title: "Empty"},
		},
		Checks: []Check{{Name: "nobody <waits>", Want: "0", Got: "0", Kept: true}, {Name: "nothing lost", Want: "0", Got: "7"}},
		Heats: []Heat{
			{Title: "Load", Note: "each relay's", X: "s", Steps: []float64{0, 1}, Zones: []HeatRows{{Name: "<zone>", Rows: [][]float64{{1, 99}}}}, Warm: 80, Hot: 100, Unit: "%"},
			{Title: "No load"},
		},
		Forests: []Forest{testForest(), {Title: "No tree"}},
		Facts:   []Fact{{Name: "kernel", Value: "<script>alert(1)</script>"}},
	}
}

func TestPage(t *testing.T) {
	var b strings.Builder
	if err := testPage().Write(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{
		"A &lt;b&gt;title&lt;/b&gt;", "and &amp; what it means", "relay&#39;s &lt;own&gt;", "&lt;script&gt;", "of &lt;1000&gt;",
		"nothing was measured", `role="note"`, "M60 ", `<rect class="bar"`, `<circle class="dot"`, "nobody &lt;waits&gt;", `<span class="kept"`, `<span class="broken"`,
		"&lt;zone&gt;", `<path class="h8" d="M`, `<rect class="box k1"`, `class="moment"`, "a &amp; happened", "prefers-color-scheme: dark",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := strings.Count(html, `role="img"`); got != 6 {
		t.Errorf("%d drawings, want 6", got)
	}
	if strings.Contains(html, "outside") {
		t.Error("an event lies outside of the plot")
	}
	if strings.Contains(html, "ZgotmplZ") {
		t.Error("the template refused a value")
	}
}

// The page loads nothing and runs nothing.
func TestPageStandsAlone(t *testing.T) {
	var b strings.Builder
	if err := testPage().Write(&b); err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)<script|\bsrc=|\bhref=|url\(|@import|https?://|\son\w+=`).FindString(b.String()); found != "" {
		t.Errorf("the page has %q", found)
	}
}

// Drawings are well-formed: a browser forgives what is not, an editor that
// somebody drops one into does not.
func TestDrawingsAreWellFormed(t *testing.T) {
	var b strings.Builder
	if err := testPage().Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(b.String(), -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
	}
}

func TestEmptyPage(t *testing.T) {
	var b strings.Builder
	if err := (Page{Title: "nothing"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"<table>", `role="note"`, "<svg", `<dl class`, "checks\""} {
		if strings.Contains(b.String(), never) {
			t.Errorf("an empty page has %s", never)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPageCannotBeWritten(t *testing.T) {
	if err := testPage().Write(full{}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("%v", err)
	}
}
