package protocol

import "testing"

func TestResetCodesOnQUIC(t *testing.T) {
	tests := []struct {
		code ResetCode
		quic uint64
	}{
		{CodeCancel, 0x52e4a40fa8db},
		{CodeNotFound, 0x52e4a40fa8e8},
		{29, 0x52e4a40fa8f8},
		{CodeUnroutable, 0x52e4a40fa8fa}, // one is skipped before it
		{CodeEvicted, 0x52e4a40fa8fb},
		{1<<32 - 1, 0x52e5ac983162},
	}
	for _, tt := range tests {
		if got := tt.code.QUIC(); got != tt.quic {
			t.Errorf("%v becomes %#x, want %#x", tt.code, got, tt.quic)
		}
		if got, ok := ResetCodeFromQUIC(tt.quic); !ok || got != tt.code {
			t.Errorf("%#x means %v, %v, want %v", tt.quic, got, ok, tt.code)
		}
	}
	for _, x := range []uint64{0, 13, 0x10c, firstQUICCode - 1, firstQUICCode + 30, firstQUICCode + 61, lastQUICCode + 1, MaxVarint} {
		if got, ok := ResetCodeFromQUIC(x); ok {
			t.Errorf("%#x means %v", x, got)
		}
	}
	if got := ResetCode(1 << 32).QUIC(); got != lastQUICCode {
		t.Errorf("a code above 32 bits becomes %#x", got)
	}
}

func TestResetCodeNames(t *testing.T) {
	seen := map[string]ResetCode{}
	for code, name := range codeNames {
		if other, ok := seen[name]; ok {
			t.Errorf("%d and %d are both %q", code, other, name)
		}
		seen[name] = code
		if code.String() != name {
			t.Errorf("%d is called %q", code, code)
		}
	}
	if got := ResetCode(77).String(); got != "code 77" {
		t.Errorf("77 is called %q", got)
	}
}

func FuzzResetCode(f *testing.F) {
	for _, x := range []uint64{0, firstQUICCode, firstQUICCode + 30, lastQUICCode} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x uint64) {
		for _, x := range []uint64{x, firstQUICCode + x%(lastQUICCode-firstQUICCode+1)} {
			code, ok := ResetCodeFromQUIC(x)
			// draft-ietf-webtrans-http3 §4.6: what the reserved code points are.
			inRange := x >= firstQUICCode && x <= lastQUICCode && (x-0x21)%0x1f != 0
			if ok != inRange || ok && code.QUIC() != x {
				t.Fatalf("%#x means %v, %v, and that is %#x", x, code, ok, code.QUIC())
			}
		}
	})
}
