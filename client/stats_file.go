package client

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile writes the counters as JSON, so that a reader of the file sees
// either the old or the new ones and never half of them.
func (s Stats) WriteFile(path string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	_, err = temp.Write(append(b, '\n'))
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(temp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("stats: %w", err)
	}
	return nil
}
