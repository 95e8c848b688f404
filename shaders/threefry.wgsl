// Threefry-2x32 with 20 rounds (Salmon et al. 2011, section 4): two words that are a pure function of a key and a
// counter, included by the kernels that draw noise. The CPU computes the same (src/kernels/hard-concrete-distribution.ts).

fn rotate_left(x: u32, bits: u32) -> u32 {
  return (x << bits) | (x >> (32u - bits));
}

// Four rounds with rotations r, then the key words that follow them.
fn four_rounds(x: vec2u, r: vec4u, injected: vec2u) -> vec2u {
  var y = x;
  for (var i = 0u; i < 4u; i++) {
    y.x += y.y;
    y.y = rotate_left(y.y, r[i]) ^ y.x;
  }
  return y + injected;
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let third = 0x1BD11BDAu ^ key.x ^ key.y;
  const EVEN = vec4u(13u, 15u, 26u, 6u);
  const ODD = vec4u(17u, 29u, 16u, 24u);
  var x = counter + key;
  x = four_rounds(x, EVEN, vec2u(key.y, third + 1u));
  x = four_rounds(x, ODD, vec2u(third, key.x + 2u));
  x = four_rounds(x, EVEN, vec2u(key.x, key.y + 3u));
  x = four_rounds(x, ODD, vec2u(key.y, third + 4u));
  return four_rounds(x, EVEN, vec2u(third, key.x + 5u));
}
