/// \file
/// The kernels of transformers on a GPU, and what each is given. Shared by the host and by
/// kernels.cu, which sees no standard header.
///
/// A matrix's rows are a multiple of kAlignment numbers apart, so that every row begins at a
/// multiple of 16 bytes; what lies between a row's end and the next is never read.
#pragma once

namespace aceso::nn::cuda {

using Bf16 = unsigned short;

inline constexpr int kAlignment = 8;

/// x = scale * table[token] + places[position], a block for each row.
struct EmbedArguments {
  const int* tokens;
  const int* positions;
  const float* scales;
  const float* table;
  const float* places;  ///< null: none
  float* x;
  int width, stride;  ///< of table, places and x
};

/// y = (x - mean) / sqrt(variance + epsilon) * gain + bias, a warp for each row. y may be x.
struct NormArguments {
  const float* x;
  const float* gain;
  const float* bias;
  void* y;  ///< f32 or bf16
  float epsilon;
  int rows, width, stride;  ///< of x and y
};

inline constexpr int kNormRows = 8;  ///< in a block

/// y = x W^T + b in tiles of kProductTile rows and columns. Factors are f32 or bf16.
struct ProductArguments {
  const void* x;       ///< [rows][in]
  const void* weight;  ///< [out][in]
  const float* bias;
  void* y;  ///< [rows][out], of x's type; f32 where it is added to
  int rows, in, out;
  int x_stride, weight_stride, y_stride;
};

inline constexpr int kProductTile = 128;

/// Rows of query, key and value of all heads become [query, key, value][head][row][head_stride], so
/// that a head's rows lie side by side; queries and keys are turned by their position's angles (Su
/// et al. 2021, RoFormer). What is beyond a head's size becomes 0. A block for kSplitRows rows of
/// one of the three and one head.
struct SplitArguments {
  const void* qkv;
  void* heads;           ///< of qkv's type, f32 or bf16
  const int* positions;  ///< of each row
  const float* cosine;
  const float* sine;  ///< of the rotary angles, [position][size / 2] each; null: no rotation
  int rows, hidden, size;
  int qkv_stride, head_stride;
};

inline constexpr int kSplitRows = 64;

/// Some queries of one sequence.
struct AttentionTile {
  int first;        ///< the sequence's first row
  int length;       ///< its tokens
  int first_query;  ///< counted from `first`
};

/// out = softmax(q k^T / sqrt(size)) v; a block for each tile and head.
struct AttentionArguments {
  const AttentionTile* tiles;
  const void* heads;  ///< as SplitArguments makes them, f32 or bf16
  void* out;          ///< rows of all heads side by side, of the same type
  float scale;        ///< log2(e) / sqrt(size): powers are of 2
  int rows, head_count, size;
  int head_stride, out_stride;
  int causal;
};

inline constexpr int kQueriesF32 = 32, kQueriesBf16 = 64;  ///< of a tile
inline constexpr int kLargestHead = 128;

/// One more token for each row's sequence: its key and value are kept beside those of the tokens
/// before it, and out = softmax(q k^T / sqrt(size)) v over all of them. Queries and keys are turned
/// by their position's angles. A block for each row and head.
struct DecodeArguments {
  const float* qkv;      ///< rows of query, key and value of all heads
  float* const* pages;   ///< [row][row_pages]: of the row's sequence, as many positions in each
  const int* positions;  ///< of each row's token, from 0
  const float* cosine;
  const float* sine;  ///< of each row's position, [row][size / 2] each; null: no rotation
  float* out;         ///< rows of all heads side by side
  float scale;        ///< log2(e) / sqrt(size): powers are of 2
  int row_pages, layer;
  int head_count, size;
  int qkv_stride, out_stride;
};

/// A page is f32 [layer][key, value][head][position][size].
inline constexpr int kPagePositions = 32;

/// Every kernel: its enumerator and name, its arguments, the threads of a block, and the function
/// in kernels.inl that it is. One list, because the device's entry points, the host's table and the
/// emulation in the tests must agree.
#define ACESO_CUDA_KERNELS(X)                                                \
  X(Embed, EmbedArguments, 128, embed_row)                                   \
  X(NormF32, NormArguments, 256, norm_rows<float>)                           \
  X(NormBf16, NormArguments, 256, norm_rows<Bf16>)                           \
  X(ProductF32, ProductArguments, 256, product_in_f32<Finish::Same>)         \
  X(ProductF32Gelu, ProductArguments, 256, product_in_f32<Finish::Gelu>)     \
  X(ProductF32Added, ProductArguments, 256, product_in_f32<Finish::Added>)   \
  X(ProductBf16, ProductArguments, 256, product_in_bf16<Finish::Same>)       \
  X(ProductBf16Gelu, ProductArguments, 256, product_in_bf16<Finish::Gelu>)   \
  X(ProductBf16Added, ProductArguments, 256, product_in_bf16<Finish::Added>) \
  X(SplitF32, SplitArguments, 128, split_heads<float>)                       \
  X(SplitBf16, SplitArguments, 128, split_heads<Bf16>)                       \
  X(AttentionF32Of32, AttentionArguments, 128, attention_in_f32<32>)         \
  X(AttentionF32Of64, AttentionArguments, 128, attention_in_f32<64>)         \
  X(AttentionF32Of128, AttentionArguments, 128, attention_in_f32<128>)       \
  X(AttentionBf16Of32, AttentionArguments, 128, attention_in_bf16<32>)       \
  X(AttentionBf16Of64, AttentionArguments, 128, attention_in_bf16<64>)       \
  X(AttentionBf16Of128, AttentionArguments, 128, attention_in_bf16<128>)     \
  X(Decode, DecodeArguments, 128, decode_head)

}  // namespace aceso::nn::cuda
