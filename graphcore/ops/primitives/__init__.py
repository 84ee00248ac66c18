"""Primitive classes: ``ops.ReLU()(x)``, ``ops.Concat(axis=1)((a, b))``, also as ``ops.operations``.

Each is a thin class over the functional API; the attributes are the constructor's arguments.
"""
from graphcore.namespace import namespace

# Which module defines which class: each lists them in its __all__, too.
__getattr__, __dir__, __all__ = namespace("graphcore.ops.primitives", {
    "base": "Primitive PrimitiveWithInfer PrimitiveWithCheck constexpr prim_attr_register",
    "arrays": """
        GatherElements Pack Unpack GatherV2 Reshape Shape TensorShape DynamicShape Size Rank DType Transpose Tile
        ExpandDims Flatten ZerosLike OnesLike Zeros Ones Fill FillV2 Fills Eye LinSpace Diag DiagPart Slice
        TupleToArray ScalarToArray GatherNd GatherD ScatterNd TensorScatterUpdate TensorScatterAdd TensorScatterSub
        UnsortedSegmentSum MaskedSelect NonZero Unique IndexFill InvertPermutation Trace Concat Stack Unstack Split
        SplitV SplitWithSize ReverseSequence Randperm Squeeze BroadcastTo StridedSlice ReverseV2 Roll OneHot Range
        Meshgrid Tril Triu Pad PadV3 MirrorPad Gather TensorScatterElements IndexAdd TopK Sort DepthToSpace
        SpaceToDepth ResizeNearestNeighbor ResizeNearestNeighborV2 ResizeBilinearV2 ResizeBilinear StandardNormal
        UniformReal UniformInt Multinomial RandomShuffle""",
    "attention": "FlashAttentionScore PagedAttention PagedAttentionMask ReshapeAndCache RotaryPositionEmbedding",
    "custom": "Custom PyFunc",
    "detection": """
        CropAndResize NMSWithMask NonMaxSuppressionWithOverlaps CombinedNonMaxSuppression ROIAlign
        RandomChoiceWithMask""",
    "devices": """
        FloatStatus NPUAllocFloatStatus NPUGetFloatStatus NPUClearFloatStatus ScalarSummary TensorSummary
        ImageSummary HistogramSummary ControlDepend""",
    "exchanges": """
        ReduceOp AllReduce AllGather AllGatherV AlltoAll AlltoAllV AlltoAllVC Barrier Broadcast CollectiveGather
        CollectiveScatter NeighborExchange Receive Reduce ReduceScatter ReduceScatterV Send""",
    "elementwise": """
        Add TensorAdd Sub Mul Div RealDiv DivNoNan Mod FloorMod FloorDiv TruncateDiv TruncateMod Pow Maximum Minimum
        Neg Abs Sign Square Sqrt Rsqrt Exp Expm1 Log Log1p Reciprocal Inv Floor Ceil Rint Trunc Sin Cos Tan Asin
        Acos ACos Atan Atan2 Sinh Cosh Asinh Acosh Atanh Tanh Sigmoid Erf Erfc Erfinv ReLU ReLU6 SeLU HSwish
        HSigmoid Mish Softplus Softsign FastGeLU FastGelu SiLU PReLU Xlogy Equal NotEqual Less LessEqual Greater
        GreaterEqual LogicalAnd LogicalOr LogicalNot LogicalXor IsNan IsInf IsFinite BitwiseAnd BitwiseOr BitwiseXor
        Invert LeftShift RightShift Select Where MaskedFill Lerp Hypot Heaviside Sinc Fmax Fmin AddN AccumulateNV2
        Addcmul Addcdiv Identity Cast TypeAs Assign AssignAdd AssignSub StopGradient Depend AddExt Swiglu Partial
        GeLU Gelu Elu CeLU LeakyReLU SoftShrink HShrink Softmax LogSoftmax GLU Round Logit IsClose ApproximateEqual
        NanToNum SquaredDifference MulNoNan BiasAdd ScalarCast ScalarToTensor Print Assert""",
    "hooks": "HookBackward InsertGradientOf",
    "images": """
        ResizeBicubic ResizeLinear1D UpsampleNearest3D UpsampleTrilinear3D GridSampler2D GridSampler3D AffineGrid
        Col2Im ChannelShuffle RGBToHSV HSVToRGB AdjustHue AdjustSaturation""",
    "layers": """
        Conv2DBackpropInput ReduceSum SumExt ReduceMean ReduceProd ReduceMax ReduceMin ReduceAll ReduceAny ReduceStd
        ArgMaxWithValue ArgMinWithValue Argmax Argmin CumSum CumProd LpNorm L2Normalize L2Loss MatMul BatchMatMul
        Dense Einsum Cdist Conv2D Conv2DTranspose Conv3D Conv3DTranspose BatchNorm LayerNorm RmsNorm LRN Dropout""",
    "losses": """
        SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits SigmoidCrossEntropyWithLogits
        BinaryCrossEntropy BCEWithLogitsLoss NLLLoss SmoothL1Loss KLDivLoss SoftMarginLoss MultiMarginLoss
        MultilabelMarginLoss CTCLoss CTCLossV2 CTCGreedyDecoder
        BoundingBoxEncode BoundingBoxDecode CheckValid IOU""",
    "numeric": """
        BesselI0 BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1 BesselK0 BesselK0e BesselK1 BesselK1e BesselY0
        BesselY1 Digamma Lgamma Polygamma Zeta Igamma Igammac Gcd Lcm NextAfter Xdivy PopulationCount
        MatrixDeterminant LogMatrixDeterminant LuSolve Orgqr UnsortedSegmentMax UnsortedSegmentMin
        UnsortedSegmentProd Ger Coalesce TensorScatterMul TensorScatterDiv TensorScatterMax TensorScatterMin
        MatrixExp Geqrf Complex ComplexAbs Real Imag Conj Angle Polar ScatterUpdate ScatterAdd ScatterSub ScatterMul
        ScatterDiv ScatterMax ScatterMin ScatterNdAdd ScatterNdSub ScatterNdMul ScatterNdDiv ScatterNdMax
        ScatterNdMin ScatterNdUpdate InplaceAdd InplaceSub InplaceUpdate InplaceUpdateV2 InplaceIndexAdd IndexPut
        MatrixInverse MatrixPower MatrixSolve MatrixTriangularSolve Cholesky CholeskyInverse CholeskySolve Qr Svd
        Lstsq MatrixDiagV3 MatrixDiagPartV3 MatrixSetDiagV3 Cross Renorm Pdist Mvlgamma Cummin Cummax
        CumulativeLogsumexp Median UniqueConsecutive Bincount Bucketize Histogram EqualCount SquareSumAll
        SearchSorted IdentityN RaggedRange SparseToDense SparseTensorDenseMatmul EmbeddingLookup BartlettWindow
        BlackmanWindow HammingWindow TrilIndices TriuIndices LogSpace SpaceToBatchND BatchToSpaceND BatchToSpaceNDV2
        Scan""",
    "pooling": """
        MaxPool AvgPool MaxPoolWithArgmax MaxPoolWithArgmaxV2 AdaptiveAvgPool2D AdaptiveMaxPool2D AdaptiveAvgPool3D
        AdaptiveMaxPool3D MaxPool3D AvgPool3D MaxPool3DWithArgmax MaxUnpool2D MaxUnpool3D
        FractionalMaxPoolWithFixedKsize FractionalMaxPool3DWithFixedKsize FractionalMaxPool FractionalAvgPool""",
    "rare": """
        identity Eps Bernoulli RandomCategorical Dropout2D Dropout3D DropoutGenMask DropoutDoMask InTopK
        FillDiagonal UnravelIndex MaskedScatter Im2Col FFTWithSize STFT LuUnpack Ormqr Eig NuclearNorm MatrixBandPart
        Betainc Padding Expand CheckNumerics DataFormatDimMap DataFormatVecPermute ScatterAddWithAxis ParallelConcat""",
    "recurrent": "DynamicGRUV2 DynamicRNN LSTM",
    "drawn": """
        Cauchy StandardLaplace LogNormalReverse MultinomialWithReplacement RandomGamma RandomPoisson TruncatedNormal""",
    "sets": """
        ListDiff UniqueWithPad LowerBound UpperBound SegmentSum SegmentProd SegmentMean SegmentMax SegmentMin NthElement
        EditDistance NoRepeatNGram CompareAndBitpack""",
    "updates": """
        ApplyMomentum FusedWeightScaleApplyMomentum ApplyKerasMomentum Adam AdamWeightDecay AdamNoUpdateParam
        ApplyAdaMax ApplyAdamWithAmsgrad ApplyAdamWithAmsgradV2 ApplyAdagrad ApplyAdagradV2 ApplyAdagradDA
        ApplyAdadelta ApplyRMSProp ApplyCenteredRMSProp ApplyAddSign ApplyPowerSign ApplyFtrl ApplyProximalAdagrad
        ApplyProximalGradientDescent ApplyGradientDescent SGD""",
})
