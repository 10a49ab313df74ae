"""What every study is made with: metrics, intervals, journals, stores of clips, reports."""
