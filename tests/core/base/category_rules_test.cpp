#include "core/base/category_rules.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(CategoryRules, SortRealKernelNames) {
    const CategoryRules& rules = CategoryRules::builtIn();
    const std::pair<const char*, Category> names[] = {
        {"nvjet_sm90_tst_8x64_64x16_4x1_v_bz_TNN", Category::Gemm},
        {"nvjet_sm90_tst_64x8_64x16_4x1_v_bz_splitK_TNT", Category::Gemm},
        {"void cublasLt::splitKreduce_kernel<32, 16, int, float, __nv_bfloat16, float>(...)", Category::Gemm},
        {"void cutlass::Kernel<cutlass_80_tensorop_s1688gemm_64x64_16x6_nt_align4>(...)", Category::Gemm},
        {"ampere_bf16_s16816gemm_bf16_64x64_ldg8_f2f_stages_64x5_tn", Category::Gemm},
        {"void gemv2T_kernel_val<int, int, __nv_bfloat16, __nv_bfloat16, float>(...)", Category::Gemm},
        {"volta_sgemm_64x64_nt", Category::Gemm},
        {"cudnn_generated_fort_native_sdpa_sm80_flash_fprop_wmma_f16_knob_3_64x64x256_4x1x1_cga1x1x1_kernel0_0",
         Category::Attention},
        {"void flash::flash_fwd_kernel<Flash_fwd_kernel_traits<128, 128, 64, 4>>(...)", Category::Attention},
        {"fmha_cutlassF_bf16_aligned_64x64_rf_sm80(PyTorchMemEffAttention::AttentionKernel)", Category::Attention},
        {"void at::native::vectorized_elementwise_kernel<4, "
         "at::native::rsqrt_kernel_cuda(at::TensorIteratorBase&)>(...)",
         Category::Elementwise},
        {"void at::native::vectorized_elementwise_kernel<8, "
         "at::native::bfloat16_copy_kernel_cuda(at::TensorIteratorBase&)>(...)",
         Category::Elementwise},
        {"void "
         "at::native::unrolled_elementwise_kernel<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)>(...)",
         Category::Elementwise},
        {"void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::MeanOps<float, float, float, "
         "float>>>(...)",
         Category::Reduction},
        {"void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<float, float>(...)", Category::Norm},
        {"void (anonymous namespace)::softmax_warp_forward<float, float, float, 8, true, false>(...)",
         Category::Attention},
        {"void at::native::(anonymous namespace)::CatArrayBatchedCopy<at::native::(anonymous "
         "namespace)::OpaqueType<2u>>(...)",
         Category::Copy},
        {"void at::native::index_elementwise_kernel<128, 4, at::native::gpu_index_kernel<>>(...)", Category::Copy},
        {"ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096>)", Category::Communication},
        {"ncclKernel_SendRecv_RING_SIMPLE_Sum_int8_t(ncclWorkElem)", Category::Communication},
        {"triton_poi_fused__unsafe_view_gelu_mul_6", Category::Elementwise},
        {"triton_poi_fused__scaled_dot_product_cudnn_attention__to_copy__unsafe_view_add_bmm_cat_cos_expand_mul_where_"
         "9",
         Category::Elementwise},
        {"triton_red_fused__to_copy__unsafe_view_add_mean_mul_pow_rsqrt_8", Category::Norm},
        {"triton_per_fused_argmax_1", Category::Reduction},
        {"triton_tem_fused_mm_4", Category::Gemm},
        {"void kDequantizeBlockwise<__nv_bfloat16, 512, 64, 8, 1>(...)", Category::Quantize},
        {"void kInt8VectorQuant<__half, 1024, 0>(...)", Category::Quantize},
        {"void at_cuda_detail::cub::detail::scan::DeviceScanInitKernel<at_cuda_detail::cub::ScanTileState<long, true> "
         ">(at_cuda_detail::cub::ScanTileState<long, true>, int)",
         Category::Reduction},
        {"void cub::DeviceRadixSortOnesweepKernel<cub::DeviceRadixSortPolicy<long, int, int>::Policy800, false>(...)",
         Category::Reduction},
        {"void at::native::(anonymous namespace)::max_pool_forward_nchw<float, float>(...)", Category::Reduction},
        {"void cunn_ClassNLLCriterion_updateOutput_kernel<float, float>(...)", Category::Reduction},
        {"cask_cudnn::computeBOffsetsKernel(cask_cudnn::ComputeBOffsetsParams)", Category::Gemm},
        {"void cask_cudnn_infer::computeOffsetsKernel3D<false>(...)", Category::Gemm},
        {"void cudnn::cnn::im2col4d_kernel<float, long>(...)", Category::Gemm},
        {"void epilogue::impl::globalKernel<float, float, float, true, true>(..., cublasLtEpilogue_t, ...)",
         Category::Gemm},
        {"void cudnn::ops::scalePackedTensor_kernel<float, float>(...)", Category::Elementwise},
        {"void at::native::(anonymous namespace)::searchsorted_cuda_kernel<float, long>(...)", Category::Elementwise},
        {"void permute_pooled_embs_kernel<float>(...)", Category::Copy},
        {"void recat_copy_async_kernel<float>(...)", Category::Copy},
        {"void at::to_dense_representation_kernel<float>(...)", Category::Copy},
        {"void kv_cache_write_kernel<__nv_bfloat16, 128>(...)", Category::Copy},
        {"void bounds_check_indices_kernel<long>(...)", Category::Embedding},
        {"void linearize_index_kernel<long>(...)", Category::Embedding},
        {"rope_apply_neox_bf16(__nv_bfloat16*, float const*, int const*, int, int)", Category::Rope},
        {"void pytorch_flash::flash_fwd_splitkv_combine_kernel<Flash_fwd_kernel_traits<64>>(...)", Category::Attention},
        {"fmha_cutlassB_bf16_aligned_64x64_k64_sm80(PyTorchMemEffAttention::AttentionBackwardKernel)",
         Category::Attention},
        {"void at::native::vectorized_gather_kernel<16, long>(...)", Category::Copy},
        {"void at::native::sbtopk::gatherTopK<float, unsigned int, 2, false>(...)", Category::Sampling},
        {"void at::native::bitonicSortKVInPlace<-2, -1, 16, 16, float, long>(...)", Category::Reduction},
        {"void at::native::tensor_kernel_scan_innermost_dim<float, std::plus<float>>(...)", Category::Reduction},
        {"void at::native::(anonymous namespace)::fused_dropout_kernel_vec<float, float, unsigned int, 1, 4>(...)",
         Category::Elementwise},
        {"void kQuantizeBlockwise<__half, 4096, 4, 0, 0>(...)", Category::Quantize},
        {"void kdequant_mm_int32_fp16<4, 512>(...)", Category::Quantize},
        {"void kgemm_4bit_inference_naive<__nv_bfloat16, 128, 16>(...)", Category::Gemm},
        {"void mul_mat_vec_q<(ggml_type)12, 1, false, false>(...)", Category::Gemm},
        {"void mul_mat_q_stream_k_fixup<(ggml_type)12, 64, false>(...)", Category::Gemm},
        {"void dequantize_mul_mat_vec<32, 1, &dequantize_q4_0>(...)", Category::Gemm},
        {"quantize_q8_1(float const*, void*, long, long, long, long, long, int, int)", Category::Quantize},
        {"void dequantize_block_q4_K<__half>(void const*, __half*)", Category::Quantize},
        {"void rms_norm_f32<1024, true, false>(...)", Category::Norm},
        {"void norm_f32<1024>(...)", Category::Norm},
        {"void rope_norm<true, false, float>(...)", Category::Rope},
        {"void rope_neox<true, false, float, __half>(...)", Category::Rope},
        {"void k_bin_bcast<&op_mul, float, float, float>(...)", Category::Elementwise},
        {"void unary_gated_op_kernel<&op_silu, float>(...)", Category::Elementwise},
        {"void convert_unary<float, __half>(...)", Category::Elementwise},
        {"void soft_max_f32<true, 0, 0, float>(...)", Category::Attention},
        {"void flash_attn_ext_f16<128, 128, 8, 4, 64, false, false>(...)", Category::Attention},
        {"void flash_attn_combine_results<128>(float const*, float2 const*, float*, int)", Category::Attention},
        {"void cpy_scalar<&cpy_1_scalar<float, __half>>(...)", Category::Copy},
        {"void k_set_rows<float, long, __half>(...)", Category::Copy},
        {"void k_get_rows_float<float, float>(...)", Category::Embedding},
        {"void vllm::paged_attention_v1_kernel<__nv_bfloat16, __nv_bfloat16, 128, 16, 128>(...)", Category::Attention},
        {"void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, __nv_bfloat16>(...)", Category::Copy},
        {"void vllm::concat_and_cache_mla_kernel<__nv_bfloat16, __nv_bfloat16>(...)", Category::Copy},
        {"void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(...)", Category::Norm},
        {"void vllm::rotary_embedding_kernel<c10::BFloat16, true>(...)", Category::Rope},
        {"void vllm::act_and_mul_kernel<c10::BFloat16, &vllm::silu_kernel>(...)", Category::Elementwise},
        {"void vllm::moe::topkGatingSoftmax<8, 128, 4, 16>(...)", Category::Reduction},
        {"void vllm::dynamic_scaled_int8_quant_kernel<c10::BFloat16, float>(...)", Category::Quantize},
        {"void marlin::Marlin<__nv_bfloat16, 256, 1, 8, 8, 4>(...)", Category::Gemm},
        {"fused_moe_kernel", Category::Gemm},
        {"void vllm::cross_device_reduce_1stage<__nv_bfloat16, 2>(...)", Category::Communication},
        {"void flashinfer::BatchDecodeWithPagedKVCacheKernel<(flashinfer::PosEncodingMode)0>(...)",
         Category::Attention},
        {"void flashinfer::BatchPrefillWithPagedKVCacheKernel<(flashinfer::MaskMode)1>(...)", Category::Attention},
        {"void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>(...)", Category::Norm},
        {"void flashinfer::sampling::TopKTopPSamplingFromProbKernel<1024u>(...)", Category::Sampling},
        {"void flashinfer::BatchQKApplyRotaryPosIdsCosSinCacheKernel<true, 128u>(...)", Category::Rope},
        {"void flashinfer::activation::act_and_mul_kernel<__nv_bfloat16, &silu>(...)", Category::Elementwise},
        {"void flashinfer::AppendPagedKVCacheKernel<128u, 8u>(...)", Category::Copy},
        {"ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Category::Communication},
        {"ncclDevKernel_ReduceScatter_Sum_f32_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Category::Communication},
        {"void implicit_convolve_sgemm<float, float, 1024, 5, 5, 3, 3, 3, 1>(...)", Category::Gemm},
        {"void cudnn::winograd_nonfused::winogradForwardData4x4<float, float>(...)", Category::Gemm},
        {"void cudnn::bn_fw_tr_1C11_kernel_NCHW<float, float, 512, true, 1>(...)", Category::Norm},
        {"void cudnn::ops::nchwToNhwcKernel<float, float, float, false, true>(...)", Category::Copy},
        {"my_own_kernel", Category::Other},
        {"", Category::Other},
    };
    for (const auto& [name, category] : names)
        EXPECT_EQ(categoryName(rules.categoryOf(name)), categoryName(category)) << name;
}

TEST(CategoryRules, TheFirstRuleThatFitsWins) {
    const auto rules = CategoryRules::parse("# comment\n\nnorm  Fused RMS # both parts\ngemm fused\n");
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_EQ(rules->categoryOf("my_FUSED_rms_kernel"), Category::Norm);
    EXPECT_EQ(rules->categoryOf("my_fused_kernel"), Category::Gemm);
    EXPECT_EQ(rules->categoryOf("plain"), Category::Other);
}

TEST(CategoryRules, OnesOwnAreTriedBeforeTheBuiltIn) {
    const CategoryRules rules =
        CategoryRules::beforeBuiltIn({{Category::Norm, {"sgemm", "odd"}}, {Category::Other, {"nothing"}}});
    EXPECT_EQ(rules.categoryOf("odd_sgemm"), Category::Norm);
    EXPECT_EQ(rules.categoryOf("sgemm"), Category::Gemm);
    EXPECT_EQ(rules.ruleFor("nothing_gemm"), std::optional<size_t>(1));  // known to be other, not unknown
    EXPECT_EQ(rules.ruleFor("my_own_kernel"), std::nullopt);
    EXPECT_EQ(rules.rules().size(), CategoryRules::builtIn().rules().size() + 2);
}

TEST(CategoryRules, AWrongLineIsNamed) {
    const auto unknown = CategoryRules::parse("gemm x\nnonsense y\n");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("line 2"), std::string::npos);
    EXPECT_FALSE(CategoryRules::parse("gemm\n"));
    EXPECT_GT(static_cast<int>(CategoryRules::builtIn().categoryOf("sgemm") == Category::Gemm), 0);
}

}  // namespace gapscope
