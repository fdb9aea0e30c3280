"""What the graphics library runs for each corner and each pixel of a hand (GLSL 3.3)."""

VERTEX = """#version 330
in vec3 place; in vec3 normal; in vec3 rest; in vec2 uv; in vec3 finger; in float plate;
uniform mat4 project; uniform mat4 stand;
out vec3 Normal; out vec3 Rest; out vec2 Uv; out float S; out float Back; flat out int Finger; flat out float Plate;
out float Height;
void main() {
  vec4 world = stand * vec4(place, 1.0);
  gl_Position = project * world;
  Normal = mat3(stand) * normal; Rest = rest; Uv = uv; Height = world.z;
  Finger = int(finger.x + 0.5); S = finger.y; Back = finger.z; Plate = plate;
}
"""

# Layers: albedo and its share of nail or sore; light terms; label, height over the table, share of nail, of sore.
FRAGMENT = """#version 330
in vec3 Normal; in vec3 Rest; in vec2 Uv; in float S; in float Back; in float Height;
flat in int Finger; flat in float Plate;
uniform sampler2D detail; uniform sampler2D nails;
uniform vec3 lamp; uniform vec3 back_colour; uniform vec3 palm_colour; uniform float mottling; uniform float creases;
uniform float gloss; uniform float detail_share; uniform float bare; uniform vec3 glove; uniform float label_base;
uniform float free_mm[6]; uniform vec3 joint_mm[6];
uniform vec4 tip_colour[6]; uniform float tip_mm[6]; uniform vec4 polish[6];
uniform vec2 band_mm[6]; uniform vec4 band_colour[6];
uniform vec2 ring_mm[6]; uniform vec3 ring_colour;
uniform vec4 sore_at[4]; uniform vec4 sore_colour[4]; uniform float sore_finger[4];
layout(location=0) out vec4 albedo_out; layout(location=1) out vec4 light_out; layout(location=2) out vec4 facts_out;

float hash(vec3 p) { p = fract(p * .3183099 + .1); p *= 17.; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 x) {
  vec3 i = floor(x), f = fract(x); f = f * f * (3. - 2. * f);
  return mix(mix(mix(hash(i), hash(i + vec3(1,0,0)), f.x), mix(hash(i + vec3(0,1,0)), hash(i + vec3(1,1,0)), f.x), f.y),
             mix(mix(hash(i + vec3(0,0,1)), hash(i + vec3(1,0,1)), f.x),
                 mix(hash(i + vec3(0,1,1)), hash(i + vec3(1,1,1)), f.x), f.y), f.z);
}
float bell(float x, float wide) { return exp(-.5 * x * x / (wide * wide)); }

void main() {
  float per_px = max(length(dFdx(Rest)), length(dFdy(Rest)));
  float nail = max(texture(nails, Uv).r * bare, Plate);
  float coarse = noise(Rest * .16), middle = noise(Rest * .9 + 7.);
  float fine = per_px < .6 ? noise(Rest * 3.1) : .5;
  vec3 skin = mix(palm_colour, back_colour, smoothstep(.35, .65, Back + .12 * (middle - .5)));
  vec3 grain = mix(vec3(1), texture(detail, Uv).rgb * 2., detail_share);
  skin *= grain * (1. + mottling * vec3(.10, .22, .20) * (.5 - coarse)) * (1. + mottling * .10 * (middle - .5));
  skin *= 1. + .10 * (fine - .5);
  float relief = .35 * middle + .25 * fine, crease = 0., ridges = 0.;
  if (Finger > 0 && bare > .5) {
    float redder = (1. - .5 * Back) * smoothstep(18., 3., S);
    skin *= 1. - redder * vec3(.02, .13, .11);
    for (int k = 0; k < 3; k++) {
      float off = S - joint_mm[Finger][k] + 1.2 * (coarse - .5);
      float palm = smoothstep(.6, .25, Back);
      crease += palm * (bell(off, .45) + .6 * bell(off - 2.4, .35) * step(.5, float(k)));
      float bow = off + .9 * (middle - .5);
      crease += smoothstep(.55, .85, Back) * bell(off, k == 0 ? 2.6 : 4.2) * pow(.5 + .5 * cos(bow * 3.3), 3.) * .7;
    }
    crease *= creases;
    if (per_px < .2) {
      ridges = smoothstep(.5, .2, Back) * smoothstep(.2, .1, per_px) * cos(13.1 * (length(vec2(S - 8., Rest.x * .3))
        + .9 * middle));
      skin *= 1. + .05 * ridges; relief += .12 * ridges;
    }
  }
  skin *= 1. - clamp(crease, 0., 1.) * vec3(.30, .40, .42);
  relief -= .8 * crease;
  float shine = gloss * (.7 + .6 * fine), sharp = 18., sore = 0.;
  vec4 end = tip_colour[Finger];
  float ragged = S + 4. * (coarse - .5) + 3. * (middle - .5);
  float at_tip = end.a * smoothstep(tip_mm[Finger] + 2.5, tip_mm[Finger] - 2.5, ragged);
  skin = mix(skin, end.rgb * (.7 + .6 * middle), at_tip);
  float free_edge = smoothstep(.8, -.2, S) * (1. - polish[Finger].a);
  vec3 plate = mix(skin * vec3(1.05, .95, .93) + .03, vec3(.75, .62, .5), free_edge);
  plate = mix(plate, polish[Finger].rgb, polish[Finger].a);
  skin = mix(skin, plate, nail);
  shine = mix(shine, .30, nail); sharp = mix(sharp, 70., nail); relief *= 1. - nail;
  if (bare < .5) { skin = glove * (.9 + .2 * coarse); shine = .12; sharp = 25.; relief = .6 * coarse + .4 * middle; }
  for (int k = 0; k < 4; k++) if (Finger > 0 && abs(float(Finger) - sore_finger[k]) < .5) {
    float away = length(Rest - sore_at[k].xyz) + 1.1 * (middle - .5) + .5 * (fine - .5), r = sore_at[k].w;
    float inside = smoothstep(r + .25, r - .25, away), rim = bell(away - r, .7);
    vec3 bed = sore_colour[k].rgb * (.7 + .6 * fine) * mix(1., .6 + .8 * middle, sore_colour[k].a);
    skin = mix(skin * (1. - rim * vec3(.02, .25, .25)), bed, inside);
    relief += inside * .5 * fine; shine = mix(shine, .25, inside); sore = max(sore, inside);
  }
  vec4 cloth = band_colour[Finger]; vec2 band = band_mm[Finger];
  if (Finger > 0 && band.y > band.x && S > band.x && S < band.y) {
    float weave = .5 + .25 * sin(S * 5.) + .25 * sin((Rest.x + Rest.z) * 5.);
    skin = cloth.rgb * mix(1., .75 + .35 * weave, cloth.a) * (.9 + .2 * coarse);
    shine = .02; nail = 0.; sore = 0.; relief = cloth.a * .6 * weave;
  }
  vec2 ring = ring_mm[Finger];
  if (Finger > 0 && ring.y > ring.x && S > ring.x && S < ring.y) {
    skin = ring_colour; shine = .9; sharp = 40.; relief = 0.; nail = 0.;
  }
  vec3 n = normalize(Normal); if (n.z < 0. && Plate > .5) n = -n;
  vec3 slope = dFdx(relief) * vec3(1, 0, 0) + dFdy(relief) * vec3(0, 1, 0);
  n = normalize(n - clamp(slope / max(per_px, .05), -1., 1.) * .22);
  float facing = dot(n, lamp);
  vec3 half_way = normalize(lamp + vec3(0, 0, 1));
  float spark = pow(max(dot(n, half_way), 0.), sharp) * shine;
  float label = Finger > 0 && S < free_mm[Finger] ? float(Finger) + 1. : 1.;
  albedo_out = vec4(skin, 1.);
  light_out = vec4(facing, spark, n.z, 1.);
  facts_out = vec4(label + label_base, Height, nail, sore);
}
"""
