#include "core/capture/cupti_names.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(CuptiNames, KernelsAreShownByTheirBareName) {
    const std::pair<const char*, const char*> cases[] = {
        {"gemv_bf16(float*, int)", "gemv_bf16"},
        {"void gemv<float>(float*)", "gemv"},
        {"void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<int>, std::array<char*, 1ul> "
         ">(int, "
         "at::native::FillFunctor<int>, std::array<char*, 1ul>)",
         "vectorized_elementwise_kernel"},
        {"(anonymous namespace)::kernel(int)", "kernel"},
        {"void (anonymous namespace)::softmax_warp<c10::Half, 4>(c10::Half*)", "softmax_warp"},
        {"std::enable_if<true, void>::type scale<int>(int*)", "scale"},
        {"void outer<int>::inner<float>(float) [clone .isra.0]", "inner"},
        {"sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize64x64x64_cublas",
         "sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize64x64x64_cublas"},
        {"nvjet_hsh_64x8_64x16_1x4_v_bz_TNN", "nvjet_hsh_64x8_64x16_1x4_v_bz_TNN"},
        {"", ""},
        {"<(", "<("},
        {"a::", "a::"},
    };
    for (const auto& [full, expected] : cases)
        EXPECT_EQ(shortKernelName(full), expected) << full;
}

TEST(CuptiNames, MangledNamesBecomeReadableAndOthersStay) {
    EXPECT_EQ(demangled("_Z4gemvIfEvPT_"), "void gemv<float>(float*)");
    EXPECT_EQ(demangled("plain_c_name"), "plain_c_name");
    EXPECT_EQ(demangled("_Z"), "_Z");
    EXPECT_EQ(demangled(""), "");
}

TEST(CuptiNames, CallsLoseVersionAndStreamMode) {
    EXPECT_EQ(apiNameWithoutSuffix("cudaLaunchKernel_v7000"), "cudaLaunchKernel");
    EXPECT_EQ(apiNameWithoutSuffix("cudaGraphLaunch_ptsz_v10000"), "cudaGraphLaunch");
    EXPECT_EQ(apiNameWithoutSuffix("cuMemcpyHtoDAsync_v2_ptsz"), "cuMemcpyHtoDAsync");
    EXPECT_EQ(apiNameWithoutSuffix("cuMemcpyHtoDAsync_v2"), "cuMemcpyHtoDAsync");
    EXPECT_EQ(apiNameWithoutSuffix("cuLaunchKernelEx"), "cuLaunchKernelEx");
    EXPECT_EQ(apiNameWithoutSuffix("cudaStreamGetCaptureInfo_v2_v11030"), "cudaStreamGetCaptureInfo");
    EXPECT_EQ(apiNameWithoutSuffix("_v2"), "");
    EXPECT_EQ(apiNameWithoutSuffix(""), "");
}

TEST(CuptiNames, CopiesSayFromWhereToWhere) {
    using cupti::CopyKind, cupti::MemoryKind;
    EXPECT_EQ(copyName(CopyKind::DeviceToHost, MemoryKind::Device, MemoryKind::Pinned),
              "Memcpy DtoH (Device -> Pinned)");
    EXPECT_EQ(copyName(static_cast<CopyKind>(77), MemoryKind::Device, static_cast<MemoryKind>(9)),
              "Memcpy (Device -> Unknown)");
}

}  // namespace gapscope
