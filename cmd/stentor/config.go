package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v2"
	"gopkg.in/yaml.v3"
)

// env names the environment variable of a flag: STENTOR_<FLAG>.
func env(flag string) []string {
	return []string{"STENTOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

// applyConfig sets the flags that a TOML or YAML file names and that neither the
// command line nor the environment has set. A key that is no flag is an error: a
// misspelt one must not be forgotten silently.
func applyConfig(c *cli.Context, path string) error {
	values, err := readConfig(path)
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for _, f := range c.Command.Flags {
		known[f.Names()[0]] = true
	}
	for _, key := range sortedKeys(values) {
		if !known[key] || key == "config" {
			return usagef("%s: unknown key %q; the keys are the flags of 'stentor %s --help' without the dashes", path, key, c.Command.Name)
		}
		if c.IsSet(key) {
			continue
		}
		if err := setFlag(c, key, values[key]); err != nil {
			return usagef("%s: %s: %w", path, key, err)
		}
	}
	return nil
}

func readConfig(path string) (map[string]any, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("--config: %w", err)
	}
	values := make(map[string]any)
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".toml":
		err = toml.Unmarshal(b, &values)
	case ".yaml", ".yml":
		err = yaml.Unmarshal(b, &values)
	default:
		return nil, usagef("--config %s: name it .toml or .yaml, so that its format is clear", path)
	}
	if err != nil {
		return nil, usagef("--config %s: %w", path, err)
	}
	return values, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// setFlag sets a flag from a value of the file; a list sets it several times.
func setFlag(c *cli.Context, name string, value any) error {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if err := setFlag(c, name, item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		return fmt.Errorf("want a value, not a table")
	}
	return c.Set(name, fmt.Sprint(value))
}
