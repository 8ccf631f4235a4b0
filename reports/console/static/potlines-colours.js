// Colours of the map of pots: scales that stay apart for colour-blind eyes, in lightness too.
"use strict";
(() => {
  const RAMPS = {
    rising: ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"],
    zero: ["#fff7ec", "#fdd49e", "#fdbb84", "#fc8d59", "#d7301f", "#7f0000"],
    both: ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"],
  };

  function parsed(hex) {
    return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  }

  // share from 0 to 1 → [r, g, b]
  function mixed(ramp, share) {
    const stops = RAMPS[ramp];
    const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const n = Math.min(Math.floor(at), stops.length - 2);
    const [a, b] = [parsed(stops[n]), parsed(stops[n + 1])];
    return a.map((part, k) => Math.round(part + (b[k] - part) * (at - n)));
  }

  function css(rgb) {
    return `rgb(${rgb.join(",")})`;
  }

  // black or white, whichever is read better on it
  function ink(rgb) {
    const [r, g, b] = rgb.map((part) => (part / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#101820" : "#ffffff";
  }

  function quantile(sorted, share) {
    const at = (sorted.length - 1) * share, n = Math.floor(at);
    return sorted[n] + ((sorted[n + 1] ?? sorted[n]) - sorted[n]) * (at - n);
  }

  function known(values) {
    return values.filter((v) => v !== null && Number.isFinite(v)).sort((a, b) => a - b);
  }

  // From where to where the colours go; the outermost pots may lie beyond, so that one pot in
  // anode effect does not take the colours from all others.
  function scaleOf(layer) {
    const values = known(layer.values);
    if (!values.length) return null;
    const zero = ["effects", "effect_s", "risk"].includes(layer.id);
    let low = quantile(values, 0.02), high = quantile(values, 0.98), ramp = "rising";
    if (layer.scale === "both") {
      const reach = Math.max(Math.abs(low), Math.abs(high), 10 ** -layer.decimals) || 1;
      [low, high, ramp] = [-reach, reach, "both"];
    } else if (zero) {
      [low, high, ramp] = [0, Math.max(values[values.length - 1], 1), "zero"];
    } else if (layer.id === "known") {
      [low, high] = [0, 100];
    }
    if (high - low < 10 ** -layer.decimals) {
      low -= 10 ** -layer.decimals / 2;
      high += 10 ** -layer.decimals / 2;
    }
    return { low, high, ramp, below: values[0] < low, above: values[values.length - 1] > high };
  }

  function colour(scale, value) {
    return mixed(scale.ramp, (value - scale.low) / (scale.high - scale.low));
  }

  window.smelterColours = { scaleOf, colour, mixed, css, ink, quantile, known };
})();
