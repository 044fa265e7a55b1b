// A GPT or a Llama that reads some tokens and scores the next one, in two calls.
//
// Paper: Dettmers et al. (2022), LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale,
//        section 3, arXiv:2208.07339 (one scale for each row of weights).
//
// To write one token every weight is read once and used once, so its time should be that of reading
// memory. `native_code.py` compiles this file, `native.py` says where the weights are. Equations
// and names are those of `models/gpt.py` and `models/llama.py`; everything but the weights of the
// products is float32. Every output is summed by one thread: their number does not change it.
//
// Letters: B texts, T new tokens of each, N = B T vectors, S positions so far, D model width,
//          H heads, G key-value heads, K head width, F feed-forward width, V vocabulary.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

// Records that Python fills; `native_code.py` has them in the same order.

struct Matrix {         // y = scale W x + bias
  const void* weights;  // (outputs / BLOCK, inputs, BLOCK), rounded up, of the decoder's format
  const float* scale;   // (outputs,), of int8 only
  const float* bias;    // (outputs,), or null
  int64_t n_out, n_in;
};

struct Norm {
  const float* weight;  // (D,)
  const float* bias;    // (D,), or null: an RMS norm
  float eps;
};

struct Block {
  Norm norm_attn;
  Matrix to_qkv, to_out;
  Norm norm_ff;
  Matrix up, down;      // a gated layer has 2F rows up, of which the gates are the first
};

struct Decoder {
  int64_t format;       // of the weights: 0 float32, 1 bfloat16, 2 int8
  int64_t n_layers, n_heads, n_kv_heads, d_head;
  const float* positions;  // (longest text, D), or null
  const float* angles;     // turned by at each position, (K / 2,), or null
  const Block* blocks;
  Norm norm;
  Matrix to_logits;
};

struct Cache {          // (n_layers, B, G, max_len, K) each
  float *keys, *values;
  int64_t max_len, n_before;
};

// Products. The weights of BLOCK outputs lie side by side for each input: they are read in the order
// in which they lie, and BLOCK sums grow next to each other in registers.

constexpr int64_t BLOCK = 64;
constexpr int64_t AHEAD = 2048;  // bytes to ask memory for before they are needed

float widen(float weight) { return weight; }
float widen(int8_t weight) { return weight; }
float widen(uint16_t weight) {  // bfloat16, the upper half of a float32
  const uint32_t bits = (uint32_t)weight << 16;
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

using Rows = std::vector<float>;  // N vectors, one after the other

template <int N, class Weight>
void multiply_block(const Matrix& m, const float* x, float* y, int64_t first, bool add) {
  const Weight* w = (const Weight*)m.weights + first * m.n_in;
  float sums[N][BLOCK] = {};
  for (int64_t i = 0; i < m.n_in; i++, w += BLOCK) {
    for (size_t line = 0; line < BLOCK * sizeof(Weight); line += 64)
      __builtin_prefetch((const char*)w + AHEAD + line);
    for (int n = 0; n < N; n++)
      for (int64_t o = 0; o < BLOCK; o++) sums[n][o] += widen(w[o]) * x[n * m.n_in + i];
  }
  for (int n = 0; n < N; n++)
    for (int64_t o = first; o < std::min(first + BLOCK, m.n_out); o++) {
      const float sum = sums[n][o - first] * (m.scale ? m.scale[o] : 1) + (m.bias ? m.bias[o] : 0);
      y[n * m.n_out + o] = add ? y[n * m.n_out + o] + sum : sum;
    }
}

// y = W x of N vectors, or y += W x.
template <class Weight>
void multiply(const Matrix& m, const float* x, float* y, int64_t n_rows, int n_threads,
              bool add = false) {
#pragma omp parallel for num_threads(n_threads)
  for (int64_t first = 0; first < m.n_out; first += BLOCK) {
    int64_t n = 0;
    for (; n + 4 <= n_rows; n += 4)
      multiply_block<4, Weight>(m, x + n * m.n_in, y + n * m.n_out, first, add);
    for (; n < n_rows; n++)
      multiply_block<1, Weight>(m, x + n * m.n_in, y + n * m.n_out, first, add);
  }
}

// What happens between the products.

void normalize(const Norm& norm, const float* x, float* y, int64_t width) {
  float mean = 0, square = 0;
  if (norm.bias) {
#pragma omp simd reduction(+ : mean)
    for (int64_t i = 0; i < width; i++) mean += x[i];
    mean /= width;
  }
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < width; i++) square += (x[i] - mean) * (x[i] - mean);
  const float scale = 1 / std::sqrt(square / width + norm.eps);
  for (int64_t i = 0; i < width; i++)
    y[i] = (x[i] - mean) * scale * norm.weight[i] + (norm.bias ? norm.bias[i] : 0);
}

// GELU by tanh is x (1 + tanh z) / 2 = x / (1 + exp(-2z)); SiLU is x / (1 + exp(-x)).
void activate(const float* up, float* y, int64_t d_ff, bool gated) {
  const float slope = -1.5957691216f;  // -2 √(2 / π)
  for (int64_t i = 0; i < d_ff; i++) {
    const float x = up[i];
    y[i] = gated ? x / (1 + std::exp(-x)) * up[d_ff + i]
                 : x / (1 + std::exp(slope * (x + 0.044715f * x * x * x)));
  }
}

// Turn the pairs (i, i + K/2) of a head, as `layers/positions.py` pairs them.
void rotate(float* head, const float* cos, const float* sin, int64_t half) {
  for (int64_t i = 0; i < half; i++) {
    const float first = head[i], second = head[i + half];
    head[i] = first * cos[i] - second * sin[i];
    head[i + half] = second * cos[i] + first * sin[i];
  }
}

// What a query hears from S positions, whose keys and values are (S, K).
void attend(const float* q, const float* keys, const float* values, float* y, int64_t n_seen,
            int64_t width) {
  Rows weights(n_seen);
  float largest = -INFINITY, total = 0;
  for (int64_t s = 0; s < n_seen; s++) {
    float score = 0;
#pragma omp simd reduction(+ : score)
    for (int64_t i = 0; i < width; i++) score += q[i] * keys[s * width + i];
    weights[s] = score / std::sqrt((float)width);
    largest = std::max(largest, weights[s]);
  }
  for (float& weight : weights) total += weight = std::exp(weight - largest);
  std::fill_n(y, width, 0.0f);
  for (int64_t s = 0; s < n_seen; s++)
    for (int64_t i = 0; i < width; i++) y[i] += weights[s] / total * values[s * width + i];
}

template <class Weight>
void read(const Decoder& d, float* x, int64_t batch, int64_t n_new, const Cache& cache,
          int n_threads) {
  const int64_t K = d.d_head, H = d.n_heads, G = d.n_kv_heads, D = H * K, half = K / 2;
  const int64_t N = batch * n_new, d_ff = d.blocks->down.n_in, d_up = d.blocks->up.n_out;
  const int64_t d_qkv = (H + 2 * G) * K, start = cache.n_before;
  Rows normed(N * D), qkv(N * d_qkv), heard(N * D), up(N * d_up), ff(N * d_ff);
  Rows cos(n_new * half), sin(n_new * half);
  for (int64_t j = 0; d.angles && j < n_new * half; j++) {
    const float angle = (start + j / half) * d.angles[j % half];
    cos[j] = std::cos(angle), sin[j] = std::sin(angle);
  }
  for (int64_t n = 0; d.positions && n < N; n++)
    for (int64_t i = 0; i < D; i++) x[n * D + i] += d.positions[(start + n % n_new) * D + i];

  for (int64_t layer = 0; layer < d.n_layers; layer++) {
    const Block& block = d.blocks[layer];
    const auto text = [&](int64_t n, int64_t g) {  // where the cache keeps a head of a text
      return ((layer * batch + n / n_new) * G + g) * cache.max_len * K;
    };
    for (int64_t n = 0; n < N; n++) normalize(block.norm_attn, &x[n * D], &normed[n * D], D);
    multiply<Weight>(block.to_qkv, normed.data(), qkv.data(), N, n_threads);
    for (int64_t n = 0; n < N; n++) {
      const int64_t t = n % n_new;
      float *q = &qkv[n * d_qkv], *k = q + H * K, *v = k + G * K;
      for (int64_t h = 0; d.angles && h < H + G; h++)
        rotate(q + h * K, &cos[t * half], &sin[t * half], half);
      for (int64_t g = 0; g < G; g++) {
        std::copy_n(k + g * K, K, cache.keys + text(n, g) + (start + t) * K);
        std::copy_n(v + g * K, K, cache.values + text(n, g) + (start + t) * K);
      }
    }
#pragma omp parallel for num_threads(n_threads)
    for (int64_t j = 0; j < N * H; j++) {
      const int64_t n = j / H, h = j % H, head = text(n, h * G / H);
      attend(&qkv[n * d_qkv + h * K], cache.keys + head, cache.values + head, &heard[n * D + h * K],
             start + n % n_new + 1, K);
    }
    multiply<Weight>(block.to_out, heard.data(), x, N, n_threads, true);
    for (int64_t n = 0; n < N; n++) normalize(block.norm_ff, &x[n * D], &normed[n * D], D);
    multiply<Weight>(block.up, normed.data(), up.data(), N, n_threads);
    for (int64_t n = 0; n < N; n++) activate(&up[n * d_up], &ff[n * d_ff], d_ff, d_up != d_ff);
    multiply<Weight>(block.down, ff.data(), x, N, n_threads, true);
  }
  for (int64_t n = 0; n < N; n++) normalize(d.norm, &x[n * D], &x[n * D], D);
}

// Call what(weight) with a number of the weights' type.
template <class What>
void in_format(const Decoder& d, What what) {
  if (d.format == 0) what(float{});
  if (d.format == 1) what(uint16_t{});
  if (d.format == 2) what(int8_t{});
}

}  // namespace

// Send embedded tokens x, (B, T, D), through all blocks, in place, and append to the cache.
extern "C" void read_tokens(const Decoder* d, float* x, int64_t batch, int64_t n_new,
                            const Cache* cache, int n_threads) {
  in_format(*d, [&](auto weight) {
    read<decltype(weight)>(*d, x, batch, n_new, *cache, n_threads);
  });
}

// Turn hidden (N, D) into logits (N, V).
extern "C" void score(const Decoder* d, const float* hidden, int64_t n_rows, float* logits,
                      int n_threads) {
  in_format(*d, [&](auto weight) {
    multiply<decltype(weight)>(d->to_logits, hidden, logits, n_rows, n_threads);
  });
}
