"""An encoder that is made and trained in milliseconds: a random BertModel behind a tokenizer of single characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIGNS = "abcdefghijklmnopqrstuvwxyz 0123456789:?!.我的卡丢了怎么办请问余额多少"
SPECIAL = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")


def tiny_encoder(folder: Path, *, layers: int = 3, kind: str = "bert") -> Path:
    """A sentence-transformers folder: 16 dimensions, mean pooling, prefix `query: `. `kind`: bert, xlm-roberta, mpnet
    or distilbert.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    base = folder / "base"
    torch.manual_seed(7)
    _model(kind, layers).save_pretrained(base)
    _tokenizer().save_pretrained(base)
    inner = Transformer(str(base), max_seq_length=64)
    model = SentenceTransformer(
        modules=[inner, Pooling(16, "mean"), Normalize()], prompts={"query": "query: "}, device="cpu"
    )
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def tiny_cross_encoder(folder: Path, *, kind: str = "bert", outputs: int = 1) -> Path:
    """A folder as sentence-transformers' CrossEncoder writes it: random weights, pairs of texts in, `outputs` out."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(7)
    config = _config(kind, 2)
    config.num_labels, config.initializer_range = outputs, 1.0  # else all pairs score alike
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    _tokenizer(pairs=True).save_pretrained(folder)
    return folder


def _model(kind: str, layers: int) -> Any:
    """No two of its biases are the same, as in a model that was trained: an exporter would make one of them."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_config(_config(kind, layers))
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim == 1:
                value += 1e-3 * torch.randn_like(value)
    return model


def _config(kind: str, layers: int) -> Any:
    from transformers import AutoConfig

    shape = {
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "hidden_size": 16,
        "intermediate_size": 32,
    }
    if kind == "distilbert":
        shape = {"n_layers": layers, "n_heads": 2, "dim": 16, "hidden_dim": 32}
    return AutoConfig.for_model(
        kind, vocab_size=len(SPECIAL) + len(SIGNS), max_position_embeddings=80, pad_token_id=1, **shape
    )


def _tokenizer(*, pairs: bool = False) -> Any:
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = {sign: number for number, sign in enumerate([*SPECIAL, *dict.fromkeys(SIGNS)])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1" if pairs else None,
        special_tokens=[("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
        model_input_names=["input_ids", *["token_type_ids"] * pairs, "attention_mask"],
    )
