package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestText(t *testing.T) {
	o := small(t)
	o.Listeners, o.Zones, o.ZoneLoss = 10000, 3, true
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"10,000 listeners within 1m, 3 zones, packets of 60ms over quic",
		"13 (5 or 4 in each of 3 zones); decides: cpu",
		"16 relays fed with 20 ms packets: 16,000 µs",
		"at 50 %: (50 % × 850,000 µs − 16,000 µs) / 500 µs = 818 listeners",
		"10,000 / 818 listeners = 13",
		"without the largest zone, at most 95 %: 10,000 / 1,583 = 7 relays in 2 zones, so 11 in all",
		"5 relays with 3,846 listeners die; 8 are left",
		"  note ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "%!") {
		t.Errorf("a verb has no value:\n%s", b.String())
	}
}

func TestTextOfAFleetThatIsTooSmall(t *testing.T) {
	o := small(t)
	o.Listeners, o.Relays = 10000, 4
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NOT ENOUGH", "lacking: cpu: 13 relays are needed, there are 4", "TOO MUCH", "are still waiting", "with packets of 120ms for everybody"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestRemarks(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		says   string // in the remarks; what begins with ! is not
	}{
		{"an evening", func(*Options) {}, "!a second and processor"},
		{"all at once", func(o *Options) { o.Arrive = 0 }, "a second and processor"},
		{"two processors", func(o *Options) { o.Cores = 2 }, "!measured with"},
		{"four", func(o *Options) { o.Cores = 4 }, "measured with 2 processors; that 4 do"},
		{"half idle", func(*Options) {}, "!packets of 120 ms"},
		{"busy", func(o *Options) { o.Load = 65 }, "newcomers are offered packets of 120 ms"},
		{"busy, with long packets", func(o *Options) { o.Load, o.Packet = 65, 120*time.Millisecond }, "!newcomers are offered"},
		{"too busy", func(o *Options) { o.Load = 90 }, "a relay that dies is heard"},
		{"not too busy", func(o *Options) { o.Load = 65 }, "!a relay that dies is heard"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := small(t)
			o.Listeners = 20000
			tt.change(&o)
			r, err := Make(o)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(r.Remarks, "\n")
			says, not := strings.CutPrefix(tt.says, "!")
			if strings.Contains(text, says) == not {
				t.Errorf("%q: %v in\n%s", says, !not, text)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	o := small(t)
	r, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Event struct {
			Listeners int   `json:"listeners"`
			Arrive    int64 `json:"arrive_ms"`
		} `json:"event"`
		Relays  int    `json:"relays"`
		Binds   string `json:"binds"`
		Arrival struct {
			AllIn int64 `json:"all_in_ms"`
		} `json:"arrival"`
		Constants []json.RawMessage `json:"constants"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Event.Listeners != 1000 || got.Event.Arrive != 60000 || got.Relays != 2 || got.Binds != "cpu" || got.Arrival.AllIn != 60000 || len(got.Constants) == 0 {
		t.Errorf("%+v in %s", got, b)
	}
	again, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := json.Marshal(again); !bytes.Equal(b, c) {
		t.Error("the same event is planned in two ways")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestTextCannotBeWritten(t *testing.T) {
	r, err := Make(small(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteText(fullDisk{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		text string
		want float64 // negative: refused
	}{
		{"16GiB", 16 << 30}, {"16 GiB", 16 << 30}, {"16gib", 16 << 30}, {"512MiB", 512 << 20}, {"1.5GB", 1.5e9}, {"2TiB", 2 << 40},
		{"800kB", 800e3}, {"17179869184", 17179869184}, {"1e9", 1e9}, {"100B", 100},
		{"", -1}, {"GiB", -1}, {"16 apples", -1}, {"-16GiB", -1}, {"16Gbps", -1}, {"1e400", -1}, {"1 6GiB", -1}, {"NaN", -1}, {"InfGiB", -1},
	} {
		check(t, "size", tt.text, tt.want, ParseBytes)
	}
	for _, tt := range []struct {
		text string
		want float64
	}{
		{"10Gbps", 10e9}, {"10 Gbit/s", 10e9}, {"800Mbps", 800e6}, {"2.5gbps", 2.5e9}, {"1Tbps", 1e12}, {"64kbit/s", 64e3}, {"1000000", 1e6}, {"9600bps", 9600},
		{"", -1}, {"Gbps", -1}, {"10GiB", -1}, {"-1Gbps", -1}, {"ten", -1}, {"10GB", -1},
	} {
		check(t, "speed", tt.text, tt.want, ParseBits)
	}
}

func check(t *testing.T, kind, text string, want float64, parse func(string) (float64, error)) {
	t.Helper()
	got, err := parse(text)
	if (err != nil) != (want < 0) || err == nil && got != want {
		t.Errorf("%s %q is %v, %v; want %v", kind, text, got, err, want)
	}
	if err != nil && !strings.Contains(err.Error(), "such as") {
		t.Errorf("%q does not say what is allowed", err)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for got, want := range map[string]string{
		Bytes(16 << 30): "16 GiB", Bytes(103e3): "103 kB", Bytes(62 << 20): "62 MiB", Bytes(12): "12 B", Bytes(1.5 * (1 << 30)): "1.5 GiB",
		Bits(10e9): "10 Gbit/s", Bits(49.6e3): "49.6 kbit/s", Bits(1.53e12): "1.53 Tbit/s", Bits(856): "856 bit/s", Bits(1.36e6): "1.36 Mbit/s",
		thousands(0): "0", thousands(999): "999", thousands(1000): "1,000", thousands(-1234567): "-1,234,567", thousands(-123): "-123",
		some(1, "hop"): "1 hop", some(2000, "hop"): "2,000 hops", some(0, "hop"): "0 hops",
		Time(10 * time.Minute).String(): "10m", Time(time.Hour).String(): "1h", Time(72 * time.Millisecond).String(): "72ms", Time(272500 * time.Millisecond).String(): "4m33s",
		Time(2340 * time.Millisecond).String(): "2.3s", Never.String(): "never", Time(0).String(): "0s", Time(100 * time.Minute).String(): "1h40m", Time(10 * time.Second).String(): "10s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
